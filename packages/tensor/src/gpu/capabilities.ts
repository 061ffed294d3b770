import type { WebGPUAdapterInfo, WebGPUDevice } from "./webgpu-types.ts";

/** What kernels may rely on, read once from the adapter. Kernel choice is a function of this and of shapes, never of names. */
export interface Capabilities {
  /** Subgroup operations, with the smallest and largest number of lanes a subgroup can have. */
  readonly subgroups: { readonly min: number; readonly max: number } | null;
  /** 16-bit floats as a WGSL type. Packed f16 and bf16 weights need no feature. */
  readonly f16: boolean;
  readonly timestamps: boolean;
  /** A CPU pretending to be a GPU. */
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
