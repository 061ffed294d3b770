import { freemem } from "node:os";
import { AdapterError } from "../errors.ts";
import type { AdapterChoice } from "./adapter.ts";
import { useSwiftShader } from "./swiftshader.ts";

// f16 is hidden on NVIDIA's Vulkan driver without its toggle; quantised timestamps step by 65 µs. The backend is named so
// that Dawn's null backend, which accepts all work and computes nothing, can never be chosen.
const backend = process.platform === "darwin" ? "metal" : process.platform === "win32" ? "d3d12" : "vulkan";
const dawnOptions = [
  "enable-dawn-features=allow_unsafe_apis,vulkan_enable_f16_on_nvidia",
  "disable-dawn-features=timestamp_quantization",
  `backend=${backend}`,
];

// Dawn's instance must outlive its devices, and nothing else holds on to it.
const instances: GPU[] = [];

async function request(): Promise<GPUAdapter | null> {
  const { create, globals } = await import("webgpu");
  Object.assign(globalThis, globals);
  const gpu = create(dawnOptions);
  instances.push(gpu);
  return gpu.requestAdapter({ powerPreference: "high-performance" });
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
    const adapter = await request();
    if (adapter) return adapter;
  }
  await useSwiftShader();
  const adapter = await request();
  if (adapter) return adapter;
  throw new AdapterError("No WebGPU adapter: the system has no driver for one, and SwiftShader did not start.");
}

/** Bytes that this process can still take: what the machine has free, or what its control group leaves it. */
export function freeHostBytes(): number {
  const limit = process.constrainedMemory() || Infinity;
  // Not `process.availableMemory()`, which counts the cache of files that were read against a control group's limit.
  return Math.max(0, Math.min(freemem(), limit - process.memoryUsage.rss()));
}

/**
 * The device's memory, as `LETHE_MEMORY_BYTES` in the environment states it: the drivers of GPUs do not tell.
 * @throws {AdapterError} when it is no number of bytes
 */
export function statedMemoryBytes(): number | undefined {
  const given = process.env.LETHE_MEMORY_BYTES;
  if (!given) return undefined;
  if (Number(given) > 0) return Number(given);
  throw new AdapterError(`LETHE_MEMORY_BYTES is "${given}"; expected a number of bytes, such as 24e9`);
}
