import { anyObject, checkerOf, optional } from "../arguments.ts";
import { Device } from "../tensor.ts";
import type { Capabilities } from "./capabilities.ts";
import type { WebGPUAdapterInfo, WebGPUDevice } from "./webgpu-types.ts";

/** What a sketch has where nobody says otherwise: what Dawn gives on the driver of a large GPU. */
const usual = {
  subgroups: { min: 32, max: 32 },
  f16: true,
  software: false,
  maxWorkgroupSize: 1024,
  maxWorkgroupsPerDimension: 65_535,
  maxSharedBytes: 48 * 1024,
  maxBindingBytes: 2 ** 31 - 4,
  maxBufferBytes: 2 ** 40,
  bindingAlignment: 256,
} as const;

const check = checkerOf("sketchDevice", { like: optional(anyObject) });

/**
 * A device that holds nothing and computes nothing. Tensors on it have shapes, dtypes and places in buffers; all work is accepted, and what
 * is read back is zero. Its pool counts bytes as on any device. So the memory of a model that was never loaded can be planned on it: the
 * functions that say what work needs give their answers, and the work itself, run on it, has the peak that it has elsewhere.
 * @param like capabilities of the device that is planned for. Default for each: those of a large GPU
 */
export function sketchDevice(like: Partial<Capabilities> = {}): Device {
  check([like]);
  const { subgroups, f16, ...wanted } = { ...usual, ...like };
  const limits = {
    maxStorageBufferBindingSize: wanted.maxBindingBytes,
    maxBufferSize: wanted.maxBufferBytes,
    minStorageBufferOffsetAlignment: wanted.bindingAlignment,
    maxComputeInvocationsPerWorkgroup: wanted.maxWorkgroupSize,
    maxComputeWorkgroupsPerDimension: wanted.maxWorkgroupsPerDimension,
    maxComputeWorkgroupStorageSize: wanted.maxSharedBytes,
  };
  const features = new Set([...(subgroups ? ["subgroups"] : []), ...(f16 ? ["shader-f16"] : [])]);
  const nothing = () => {};
  const done = async () => null;
  const thing = () => ({});
  const pass = { setPipeline: nothing, setBindGroup: nothing, dispatchWorkgroups: nothing, end: nothing };
  const encoder = { beginComputePass: () => pass, copyBufferToBuffer: nothing, finish: thing };
  const buffer = ({ size }: { readonly size: number }) => ({
    size,
    destroy: nothing,
    mapAsync: done,
    unmap: nothing,
    getMappedRange: (_offset: number, bytes: number) => new ArrayBuffer(bytes),
  });
  const gpu = {
    limits,
    features,
    queue: { writeBuffer: nothing, submit: nothing, onSubmittedWorkDone: done },
    lost: new Promise<never>(nothing),
    createBuffer: buffer,
    createShaderModule: thing,
    createBindGroupLayout: thing,
    createPipelineLayout: thing,
    createComputePipeline: thing,
    createBindGroup: thing,
    createCommandEncoder: () => encoder,
    pushErrorScope: nothing,
    popErrorScope: done,
    addEventListener: nothing,
    removeEventListener: nothing,
    destroy: nothing,
  };
  const lanes = subgroups && { subgroupMinSize: subgroups.min, subgroupMaxSize: subgroups.max };
  const info = { vendor: "", architecture: "", description: "sketch", isFallbackAdapter: wanted.software, ...lanes };
  // Its memory has no end, so that work which would not fit anywhere can be planned too.
  const memoryBytes = Number.POSITIVE_INFINITY;
  return new Device(gpu as unknown as WebGPUDevice, info as unknown as WebGPUAdapterInfo, { memoryBytes });
}
