import type { Card, System } from "./system.ts";

/** Vendors whose processors compute, by their id on the bus; others only show a screen. */
const vendors: Readonly<Record<string, { readonly name: string; readonly driverFile: RegExp }>> = {
  "10de": { name: "NVIDIA", driverFile: /nvidia|nouveau/ },
  "1002": { name: "AMD", driverFile: /radeon|amd/ },
  "8086": { name: "Intel", driverFile: /intel/ },
};

/** Variables by which people choose among cards of one kind, and whether Vulkan's drivers read them. */
const choices = {
  CUDA_VISIBLE_DEVICES: "CUDA alone reads it",
  NVIDIA_VISIBLE_DEVICES: "a container's runtime reads it",
  ZE_AFFINITY_MASK: "Level Zero alone reads it",
  MESA_VK_DEVICE_SELECT: "Mesa's drivers read it",
} as const;

/** What `npm run doctor` knows of the adapter that it got. */
export interface Adapter {
  readonly vendor: string;
  readonly software: boolean;
}

/** Variables that are set and are meant to choose a device, each with who reads it. */
export function chosenBy({ environment }: System): string[] {
  return Object.entries(choices).flatMap(([name, reader]) =>
    environment[name] === undefined ? [] : [`${name}=${environment[name]} (${reader})`],
  );
}

/**
 * What would make this machine faster, in the order in which to try it; empty where nothing would.
 * @param gain what Mesa's software adapter gains over SwiftShader, such as `tiny-llama trains 3.8 times as fast`
 */
export function advise(system: System, adapter: Adapter, gain: string): string[] {
  if (!adapter.software || system.platform !== "linux") return [];
  const ofCards = system.cards.flatMap((card) => adviseCard(system, card));
  const bundled = adapter.vendor === "google";
  const forced =
    "LETHE_ADAPTER=swiftshader is set. Without it the system's own adapter is taken, where there is one. Mesa's, on two cores:";
  if (bundled && system.environment.LETHE_ADAPTER === "swiftshader") return [...ofCards, `${forced} ${gain}.`];
  return bundled ? [...ofCards, ...adviseMesa(system, gain)] : ofCards;
}

/** Why a card that is there was not taken. */
function adviseCard(system: System, { vendor, device, driver }: Card): string[] {
  const known = vendors[vendor];
  if (!known) return [];
  const card = `There is a GPU of ${known.name}'s (${vendor}:${device})`;
  if (!driver)
    return [
      `${card}, and no driver of the kernel has it: install ${known.name}'s driver, or pass the device to this virtual machine or container.`,
    ];
  if (!system.drivers.some((file) => known.driverFile.test(file)))
    return [`${card} without its Vulkan driver: ${vulkanPackage(vendor, system)}.`];
  if (vendor !== "10de" && system.renderNode !== "allowed")
    return [
      system.renderNode === "forbidden"
        ? `${card}, and this user may not open /dev/dri/renderD*: add the user to the group render, and log in again.`
        : `${card}, and no /dev/dri here: pass it to this container (\`--device /dev/dri\`).`,
    ];
  return [
    `${card} and its Vulkan driver, and yet no adapter came of it: \`vulkaninfo --summary\` (package vulkan-tools) says what the driver lacks.`,
  ];
}

function vulkanPackage(vendor: string, { distribution }: System): string {
  if (vendor !== "10de") return `install ${installMesa(distribution)}`;
  const packaged =
    distribution?.id === "ubuntu"
      ? "install libnvidia-gl-NNN, where NNN is the version of the kernel's driver (`cat /proc/driver/nvidia/version`)"
      : distribution?.id === "debian"
        ? "install nvidia-vulkan-icd"
        : "install the part of NVIDIA's driver that has nvidia_icd.json";
  return `${packaged}; in a container, set NVIDIA_DRIVER_CAPABILITIES=compute,utility,graphics when it is started`;
}

/** What stands in for SwiftShader. */
function adviseMesa({ loader, drivers, distribution, offeredMesa }: System, gain: string): string[] {
  const missing = [
    ...(loader ? [] : ["libvulkan.so.1, which loads drivers,"]),
    ...(drivers.some((file) => file.startsWith("lvp")) ? [] : ["Mesa's software adapter"]),
  ];
  const what =
    missing.length > 0
      ? `${missing.join(" and ")} ${missing.length > 1 ? "are" : "is"} not installed`
      : "Mesa's software adapter is installed and was refused: it is too old";
  const offered = offeredMesa ? ` (apt offers Mesa ${offeredMesa} now)` : "";
  return [`${what}. Install ${installMesa(distribution)}${offered}. Measured on two cores: ${gain}.`];
}

/** Packages of Mesa's Vulkan drivers, and how to get them on this distribution. */
function installMesa(distribution: System["distribution"]): string {
  const { id = "", codename = "", like = "" } = distribution ?? {};
  const packages = "mesa-vulkan-drivers and libvulkan1";
  if (codename === "bookworm")
    return (
      `${packages} from bookworm-backports, because bookworm's own are of 2022: copy the line or block of bookworm in /etc/apt/sources.list or ` +
      "/etc/apt/sources.list.d with bookworm-backports in bookworm's place, then `apt-get update && apt-get install -t bookworm-backports mesa-vulkan-drivers libvulkan1`"
    );
  if (`${id} ${like}`.match(/debian|ubuntu/))
    return `${packages}: \`apt-get update && apt-get install mesa-vulkan-drivers libvulkan1\``;
  if (`${id} ${like}`.match(/fedora|rhel/))
    return "mesa-vulkan-drivers and vulkan-loader: `dnf install mesa-vulkan-drivers vulkan-loader`";
  if (`${id} ${like}`.match(/arch/))
    return "vulkan-swrast and vulkan-icd-loader: `pacman -S vulkan-swrast vulkan-icd-loader`";
  return "Mesa's Vulkan drivers and the Vulkan loader, by this system's package manager";
}
