import { describe, expect, test } from "vitest";
import { type Adapter, advise, chosenBy } from "./advice.ts";
import { gainOver, recordedGain } from "./gain.ts";
import { candidateOf, distributionOf, type System } from "./system.ts";

const bookworm: System = {
  platform: "linux",
  distribution: { id: "debian", codename: "bookworm", like: "" },
  drivers: [],
  loader: true,
  cards: [],
  renderNode: null,
  offeredMesa: "22.3.6-1+deb12u1",
  environment: {},
};
const swiftshader: Adapter = { vendor: "google", software: true };
const mesa: Adapter = { vendor: "mesa", software: true };
const h100 = { vendor: "10de", device: "2330", driver: "nvidia" };
const radeon = { vendor: "1002", device: "744c", driver: "amdgpu" };

const adviceFor = (system: Partial<System>, adapter = swiftshader) =>
  advise({ ...bookworm, ...system }, adapter, "trains 4 times as fast").join("\n");

describe("where only SwiftShader was found", () => {
  test("Debian 12 needs the Mesa of its backports, whatever apt offers now", () => {
    const advice = adviceFor({ loader: false });
    expect(advice).toContain("libvulkan.so.1, which loads drivers, and Mesa's software adapter are not installed");
    expect(advice).toContain("apt-get install -t bookworm-backports mesa-vulkan-drivers libvulkan1");
    expect(advice).toContain("apt offers Mesa 22.3.6-1+deb12u1 now");
    expect(advice).toContain("Measured on two cores: trains 4 times as fast.");
  });

  test("one that is installed is too old", () => {
    expect(adviceFor({ drivers: ["lvp_icd.json"] })).toContain("Mesa's software adapter is installed and was refused");
  });

  test.each([
    ["debian", "trixie", "", "`apt-get update && apt-get install mesa-vulkan-drivers libvulkan1`"],
    ["ubuntu", "noble", "debian", "`apt-get update && apt-get install mesa-vulkan-drivers libvulkan1`"],
    ["rocky", "", "rhel centos fedora", "dnf install mesa-vulkan-drivers vulkan-loader"],
    ["arch", "", "", "pacman -S vulkan-swrast vulkan-icd-loader"],
    ["nixos", "", "", "by this system's package manager"],
  ])("%s %s", (id, codename, like, expected) => {
    const advice = adviceFor({ distribution: { id, codename, like }, offeredMesa: null });
    expect(advice).toContain(expected);
    expect(advice).not.toContain("backports");
    expect(advice).not.toContain("apt offers");
  });

  test("because the environment asks for it", () => {
    expect(adviceFor({ environment: { LETHE_ADAPTER: "swiftshader" } })).toMatch(/^LETHE_ADAPTER=swiftshader is set/);
  });
});

describe("a GPU that was not taken", () => {
  test("without its Vulkan driver, by vendor and distribution", () => {
    expect(adviceFor({ cards: [h100] })).toContain(
      "There is a GPU of NVIDIA's (10de:2330) without its Vulkan driver: install nvidia-vulkan-icd; in a container",
    );
    const distribution = { id: "ubuntu", codename: "noble", like: "debian" };
    expect(adviceFor({ cards: [h100], distribution }, mesa)).toContain("libnvidia-gl-NNN");
    expect(adviceFor({ cards: [radeon], distribution }, mesa)).toContain("install mesa-vulkan-drivers and libvulkan1");
  });

  test("that no driver of the kernel has", () => {
    expect(adviceFor({ cards: [{ ...h100, driver: null }] }, mesa)).toContain("no driver of the kernel has it");
  });

  test("that this user or container may not use", () => {
    const drivers = ["lvp_icd.json", "radeon_icd.x86_64.json"];
    expect(adviceFor({ cards: [radeon], drivers, renderNode: "forbidden" }, mesa)).toContain("the group render");
    expect(adviceFor({ cards: [radeon], drivers }, mesa)).toContain("--device /dev/dri");
    expect(adviceFor({ cards: [radeon], drivers, renderNode: "allowed" }, mesa)).toContain("vulkaninfo --summary");
  });

  test("a device that only shows a screen is none", () => {
    expect(adviceFor({ cards: [{ vendor: "1a03", device: "2000", driver: "ast" }] }, mesa)).toBe("");
  });
});

test("nothing is advised with a GPU, on Mesa's software adapter without one, or away from Linux", () => {
  expect(adviceFor({ cards: [h100] }, { vendor: "nvidia", software: false })).toBe("");
  expect(adviceFor({ drivers: ["lvp_icd.json"] }, mesa)).toBe("");
  expect(adviceFor({ platform: "darwin" })).toBe("");
});

test("variables that are meant to choose a card, and who reads them", () => {
  const environment = { CUDA_VISIBLE_DEVICES: "1", NVIDIA_VISIBLE_DEVICES: "all", PATH: "/bin" };
  expect(chosenBy({ ...bookworm, environment })).toEqual([
    "CUDA_VISIBLE_DEVICES=1 (CUDA alone reads it)",
    "NVIDIA_VISIBLE_DEVICES=all (a container's runtime reads it)",
  ]);
});

test("a distribution, and the version that apt offers", () => {
  expect(distributionOf('ID=debian\nVERSION_CODENAME=bookworm\nNAME="Debian"\n')).toEqual({
    id: "debian",
    codename: "bookworm",
    like: "",
  });
  expect(distributionOf('ID="rocky"\nID_LIKE="rhel centos fedora"\n')).toMatchObject({
    id: "rocky",
    like: "rhel centos fedora",
  });
  expect(distributionOf("")).toBeNull();
  expect(candidateOf("mesa-vulkan-drivers:\n  Installed: (none)\n  Candidate: 25.0.7-2\n")).toBe("25.0.7-2");
  expect(candidateOf("mesa-vulkan-drivers:\n  Candidate: (none)\n")).toBeNull();
  expect(candidateOf(undefined)).toBeNull();
});

test("the gain is a ratio of rows that both results have", () => {
  const result = (seconds: number, name = "pass training step") => ({
    rows: [{ name, shape: "tiny-llama, B8 T40", seconds }],
  });
  expect(gainOver(result(0.1), result(0.42))).toBe("tiny-llama trains 4.2 times as fast");
  expect(gainOver(result(0.1), result(0.42, "pass decode"))).toBe("");
  expect(recordedGain()).toMatch(/^tiny-llama trains \d+\.\d times as fast, decodes \d+\.\d/);
});
