import { findAdapter, statedMemoryBytes } from "#adapter";
import { LetheError } from "../errors.ts";
import type { AdapterChoice } from "./adapter.ts";
import { Device, type DeviceOptions } from "./device.ts";

/** Features asked of the device where the adapter offers them. */
const wantedFeatures: readonly GPUFeatureName[] = ["subgroups", "shader-f16", "timestamp-query"];

/**
 * Opens the best WebGPU device there is: a GPU, else the system's software adapter, else (Node on Linux x64) SwiftShader from
 * an npm package. `device.adapterName` says which. All the limits and the useful features that the adapter has are asked for.
 * @throws {AdapterError} when no adapter can be had, saying what was tried and what to do.
 */
export async function openDevice(options: DeviceOptions & { adapter?: AdapterChoice } = {}): Promise<Device> {
  const memoryBytes = options.memoryBytes ?? statedMemoryBytes();
  const adapter = await findAdapter(options.adapter ?? "best");
  const { limits } = adapter;
  const requiredLimits: Record<string, number> = {};
  for (const name of [
    "maxBufferSize",
    "maxStorageBufferBindingSize",
    "maxStorageBuffersPerShaderStage",
    "maxComputeWorkgroupStorageSize",
    "maxComputeInvocationsPerWorkgroup",
    "maxComputeWorkgroupSizeX",
    "maxComputeWorkgroupSizeY",
    "maxComputeWorkgroupSizeZ",
    "maxComputeWorkgroupsPerDimension",
  ] as const)
    requiredLimits[name] = limits[name];
  try {
    const gpu = await adapter.requestDevice({
      label: "lethe",
      requiredFeatures: wantedFeatures.filter((feature) => adapter.features.has(feature)),
      requiredLimits,
    });
    return new Device(gpu, adapter.info, { ...options, ...(memoryBytes !== undefined && { memoryBytes }) });
  } catch (cause) {
    throw new LetheError(`the adapter ${adapter.info.description} refused to open a device: ${cause}`, { cause });
  }
}
