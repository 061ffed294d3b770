/**
 * WebGPU's types for published declarations. They come from TypeScript's DOM library or from `@webgpu/types`, which exclude each other, and a
 * project may have neither: there they are `unknown`, and everything else keeps its type.
 */
type Global<Name extends string> =
  typeof globalThis extends Record<Name, { readonly prototype: infer T }> ? T : unknown;

export type WebGPUDevice = Global<"GPUDevice">;
export type WebGPUAdapterInfo = Global<"GPUAdapterInfo">;
export type WebGPUBuffer = Global<"GPUBuffer">;
export type WebGPUComputePipeline = Global<"GPUComputePipeline">;
export type WebGPUBindGroupLayout = Global<"GPUBindGroupLayout">;
export type WebGPUBindGroup = Global<"GPUBindGroup">;
