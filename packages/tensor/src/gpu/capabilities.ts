import type { Tuning } from "./tuning.ts";
import type { WebGPUAdapterInfo, WebGPUDevice } from "./webgpu-types.ts";

/** A product of small matrices that a subgroup computes at once: `m` × `k` by `k` × `n`, from what it multiplies to what it sums in. */
export interface MatrixUnit {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly input: string;
  readonly sum: string;
}

/** Features and limits that kernels may rely on. Kernels are chosen by these and by shapes, never by the name of an adapter. */
export interface Capabilities {
  /** Subgroup operations, with the smallest and largest number of lanes a subgroup can have. */
  readonly subgroups: { readonly min: number; readonly max: number } | null;
  /** 16-bit floats as a WGSL type. Packed f16 and bf16 weights need no feature. */
  readonly f16: boolean;
  /** Subgroup matrices, in each form that the adapter has; none without subgroups and f16. */
  readonly matrixUnits: readonly MatrixUnit[];
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
  /** What was measured to be fastest on this adapter, where the device was opened with it. */
  readonly tuning?: Tuning;
}

/** The name of an adapter: vendor, architecture and description, as far as it tells them. */
export function adapterNameOf(info: WebGPUAdapterInfo): string {
  const { vendor, architecture, description } = info;
  return [vendor, architecture, description].filter(Boolean).join(" · ");
}

/** Dawn's feature that has matrix units. WebGPU's types do not know it yet. */
export const matrixFeature: string = "chromium-experimental-subgroup-matrix";

const matrixFeatures = [matrixFeature, "subgroups", "shader-f16"];

/** What an adapter with {@link matrixFeature} says of its units. */
interface MatrixConfigs {
  readonly subgroupMatrixConfigs?: readonly {
    readonly M: number;
    readonly N: number;
    readonly K: number;
    readonly componentType: string;
    readonly resultComponentType: string;
  }[];
}

/** Reads the capabilities that a device was granted. */
export function capabilitiesOf(device: WebGPUDevice, info: WebGPUAdapterInfo): Capabilities {
  const { limits, features } = device;
  const units = matrixFeatures.every((feature) => features.has(feature))
    ? (info as MatrixConfigs).subgroupMatrixConfigs
    : [];
  return {
    subgroups: features.has("subgroups") ? { min: info.subgroupMinSize, max: info.subgroupMaxSize } : null,
    f16: features.has("shader-f16"),
    matrixUnits: [...(units ?? [])].map(({ M, N, K, componentType, resultComponentType }) => ({
      ...{ m: M, n: N, k: K },
      ...{ input: componentType, sum: resultComponentType },
    })),
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
