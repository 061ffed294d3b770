import { findAdapter, statedMemoryBytes } from "#adapter";
import { anyObject, checkerOf, finite, flag, oneOf, optional, options as optionsOf } from "../arguments.ts";
import { LetheError } from "../errors.ts";
import { checkTuning } from "../ops/check-tuning.ts";
import { Device } from "../tensor.ts";
import { adapterNameOf, matrixFeature } from "./capabilities.ts";
import { adapterChoices, type DeviceOptions } from "./options.ts";

/** Features asked of the device where the adapter offers them. */
const wantedFeatures: readonly GPUFeatureName[] = [
  "subgroups",
  "shader-f16",
  "timestamp-query",
  matrixFeature as GPUFeatureName,
];

const check = checkerOf("openDevice", {
  options: optionsOf({
    adapter: optional(oneOf(adapterChoices)),
    poison: optional(flag),
    maxBindingBytes: optional(finite),
    memoryBytes: optional(finite),
    tuning: optional(anyObject),
  }),
});

/**
 * Opens the best WebGPU device there is: a GPU, else the system's software adapter, else (Node on Linux x64) SwiftShader from
 * an npm package. `device.adapterName` names it. The device has all limits and useful features of its adapter.
 * @throws {ArgumentError} when an option is unknown or of the wrong kind, or the tuning is not of this adapter.
 * @throws {AdapterError} when there is no adapter. The message says what was tried and what to do.
 */
export async function openDevice(options: DeviceOptions = {}): Promise<Device> {
  check([options]);
  const memoryBytes = options.memoryBytes ?? statedMemoryBytes();
  const adapter = await findAdapter(options.adapter ?? "best");
  if (options.tuning) checkTuning(options.tuning, adapterNameOf(adapter.info));
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
