/** What `npm run doctor` looks at on a machine. A plain record, so that the advice can be tested with machines that are made up. */
import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { basename, join } from "node:path";

/** A graphics processor on the bus, with the ids that `lspci -nn` prints, such as 10de. */
export interface Card {
  readonly vendor: string;
  readonly device: string;
  /** The kernel's driver that has it, such as nvidia or amdgpu. */
  readonly driver: string | null;
}

export interface System {
  readonly platform: string;
  /** `ID`, `VERSION_CODENAME` and `ID_LIKE` of /etc/os-release, such as debian, bookworm. */
  readonly distribution: { readonly id: string; readonly codename: string; readonly like: string } | null;
  /** Files that name the installed Vulkan drivers, such as lvp_icd.json. */
  readonly drivers: readonly string[];
  /** libvulkan.so.1, the loader of Vulkan drivers, is installed. */
  readonly loader: boolean;
  readonly cards: readonly Card[];
  /** Of /dev/dri, whether this process may use a GPU through it; null without one. */
  readonly renderNode: "allowed" | "forbidden" | null;
  /** The version of `mesa-vulkan-drivers` that apt would install now, such as 25.0.7-2; null without apt or the package. */
  readonly offeredMesa: string | null;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

const driverFolders = ["/usr/share/vulkan/icd.d", "/etc/vulkan/icd.d", "/usr/local/share/vulkan/icd.d"];
const libraryFolders = [
  "/usr/lib/x86_64-linux-gnu",
  "/usr/lib/aarch64-linux-gnu",
  "/usr/lib64",
  "/usr/lib",
  "/usr/local/lib",
];

export function readSystem(): System {
  const linux = process.platform === "linux";
  return {
    platform: process.platform,
    distribution: distributionOf(read("/etc/os-release")),
    drivers: driverFolders.flatMap(list),
    loader: !linux || libraryFolders.some((folder) => existsSync(join(folder, "libvulkan.so.1"))),
    cards: list("/sys/bus/pci/devices").flatMap((slot) => cardIn(join("/sys/bus/pci/devices", slot))),
    renderNode: renderNode(),
    offeredMesa: linux
      ? candidateOf(spawnSync("apt-cache", ["policy", "mesa-vulkan-drivers"]).stdout?.toString())
      : null,
    environment: process.env,
  };
}

/** @param text of /etc/os-release */
export function distributionOf(text: string): System["distribution"] {
  const field = (name: string) => new RegExp(`^${name}="?([^"\n]*)"?$`, "m").exec(text)?.[1] ?? "";
  return text ? { id: field("ID"), codename: field("VERSION_CODENAME"), like: field("ID_LIKE") } : null;
}

/** @param policy what `apt-cache policy` prints of one package */
export function candidateOf(policy = ""): string | null {
  const version = /^\s*Candidate: (.*)$/m.exec(policy)?.[1];
  return version && version !== "(none)" ? version : null;
}

function cardIn(slot: string): Card[] {
  // Display controllers: 0300 with a screen, 0302 without one, as in a data centre.
  if (!/^0x03/.test(read(join(slot, "class")))) return [];
  const id = (file: string) => read(join(slot, file)).trim().replace("0x", "");
  return [{ vendor: id("vendor"), device: id("device"), driver: driverOf(slot) }];
}

function driverOf(slot: string): string | null {
  try {
    return basename(readlinkSync(join(slot, "driver")));
  } catch {
    return null; // No driver has it.
  }
}

function renderNode(): System["renderNode"] {
  const node = list("/dev/dri").find((name) => name.startsWith("renderD"));
  if (!node) return null;
  try {
    accessSync(join("/dev/dri", node), constants.R_OK | constants.W_OK);
    return "allowed";
  } catch {
    return "forbidden";
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return ""; // Not on this system.
  }
}

function list(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder) : [];
}
