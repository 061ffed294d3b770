import { freemem } from "node:os";
import { AdapterError } from "../errors.ts";
import { limitRemarksSilencer } from "./limit-remarks.node.ts";
import type { AdapterChoice } from "./options.ts";
import { useSwiftShader } from "./swiftshader.ts";

export { collectGarbage, mappingsAllowed, mappingsInUse } from "./host.node.ts";
export { paced } from "./paced.node.ts";

// Dawn hides f16 on NVIDIA's Vulkan driver unless it is told to show it. Quantised timestamps would have steps of 65 µs. The backend is
// named because Dawn also has a null backend, which accepts all work and computes nothing.
const backend = process.platform === "darwin" ? "metal" : process.platform === "win32" ? "d3d12" : "vulkan";
const enabled = ["allow_unsafe_apis", "vulkan_enable_f16_on_nvidia"];
// SwiftShader pays for the check of every index by the shader and again by itself: without both, loads and stores take less than half the
// time. No kernel of ours reads or writes past the end of a buffer, whatever values it is given (`LETHE_BOUNDS=1` checks it in the tests).
const enabledOf: Readonly<Record<string, readonly string[]>> = { swiftshader: [...enabled, "disable_robustness"] };

function dawnOptions(choice: AdapterChoice): string[] {
  return [
    `enable-dawn-features=${(enabledOf[choice] ?? enabled).join()}`,
    "disable-dawn-features=timestamp_quantization",
    `backend=${backend}`,
  ];
}

// An instance of Dawn must outlive its devices, and keeps threads until the process ends. So there is one for the system's drivers
// and one for SwiftShader, which is made after SwiftShader has become the process's driver.
const instances = new Map<AdapterChoice, GPU>();

async function request(choice: AdapterChoice): Promise<GPUAdapter | null> {
  const { create, globals } = await import("webgpu");
  const silently = await limitRemarksSilencer();
  Object.assign(globalThis, globals);
  const gpu = instances.get(choice) ?? create(dawnOptions(choice));
  instances.set(choice, gpu);
  return silently(() => gpu.requestAdapter({ powerPreference: "high-performance" }));
}

/**
 * Finds an adapter through Dawn. `LETHE_ADAPTER=swiftshader` in the environment forces the software fallback.
 * @throws {AdapterError} when there is none, saying what was tried.
 */
export async function findAdapter(choice: AdapterChoice): Promise<GPUAdapter> {
  const wanted = choice === "best" ? process.env.LETHE_ADAPTER || "best" : choice;
  if (wanted !== "best" && wanted !== "swiftshader")
    throw new AdapterError(`LETHE_ADAPTER is "${wanted}"; it can be "best" or "swiftshader"`);
  if (wanted === "best") {
    const adapter = await request(wanted);
    if (adapter) return adapter;
  }
  await useSwiftShader();
  const adapter = await request("swiftshader");
  if (adapter) return adapter;
  throw new AdapterError("No WebGPU adapter: the system has no driver for one, and SwiftShader did not start.");
}

/** Bytes of memory that this process can still take: the machine's free memory, or the rest of its control group's limit. */
export function freeHostBytes(): number {
  const limit = process.constrainedMemory() || Infinity;
  // Not `process.availableMemory()`: under a control group's limit it counts the system's file cache as taken.
  return Math.max(0, Math.min(freemem(), limit - process.memoryUsage.rss()));
}

/**
 * Bytes of the device's memory that `LETHE_MEMORY_BYTES` in the environment states.
 * @throws {AdapterError} when it is not a number of bytes.
 */
export function statedMemoryBytes(): number | undefined {
  const given = process.env.LETHE_MEMORY_BYTES;
  if (!given) return undefined;
  if (Number(given) > 0) return Number(given);
  throw new AdapterError(`LETHE_MEMORY_BYTES is "${given}"; expected a number of bytes, such as 24e9`);
}
