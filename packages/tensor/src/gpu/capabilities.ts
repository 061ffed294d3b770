import type { WebGPUAdapterInfo, WebGPUDevice } from "./webgpu-types.ts";

/** Features and limits that kernels may rely on. Kernels are chosen by these and by shapes, never by the name of an adapter. */
export interface Capabilities {
  /** Subgroup operations, with the smallest and largest number of lanes a subgroup can have. */
  readonly subgroups: { readonly min: number; readonly max: number } | null;
  /** 16-bit floats as a WGSL type. Packed f16 and bf16 weights need no feature. */
  readonly f16: boolean;
  readonly timestamps: boolean;
  /** The adapter computes on the CPU. */
  readonly software: boolean;
  readonly maxWorkgroupSize: number;
  readonly maxWorkgroupsPerDimension: number;
  readonly maxSharedBytes: number;
  readonly maxBindingBytes: number;
  readonly maxBufferBytes: number;
  /** Byte alignment of a storage binding's offset. */
  readonly bindingAlignment: number;
}

/** Reads the capabilities that a device was granted. */
export function capabilitiesOf(device: WebGPUDevice, info: WebGPUAdapterInfo): Capabilities {
  const { limits, features } = device;
  return {
    subgroups: features.has("subgroups") ? { min: info.subgroupMinSize, max: info.subgroupMaxSize } : null,
    f16: features.has("shader-f16"),
    timestamps: features.has("timestamp-query"),
    software: info.isFallbackAdapter,
    maxWorkgroupSize: limits.maxComputeInvocationsPerWorkgroup,
    maxWorkgroupsPerDimension: limits.maxComputeWorkgroupsPerDimension,
    maxSharedBytes: limits.maxComputeWorkgroupStorageSize,
    maxBindingBytes: limits.maxStorageBufferBindingSize,
    maxBufferBytes: limits.maxBufferSize,
    bindingAlignment: limits.minStorageBufferOffsetAlignment,
  };
}
