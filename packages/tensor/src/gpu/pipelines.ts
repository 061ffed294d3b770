import { wgsl } from "#wgsl";
import { DeviceValidationError, type LetheError } from "../errors.ts";
import { type KernelInterface, readInterface } from "./interface.ts";
import type { WebGPUBindGroupLayout, WebGPUComputePipeline, WebGPUDevice } from "./webgpu-types.ts";

/** Values of a kernel's `override` constants. Booleans become 0 and 1. */
export type Constants = Readonly<Record<string, number | boolean>>;

/** A kernel compiled for one set of constants. */
export interface Pipeline {
  readonly id: number;
  readonly kernel: string;
  readonly interface: KernelInterface;
  readonly gpu: WebGPUComputePipeline;
  readonly layout: WebGPUBindGroupLayout;
}

interface Program {
  readonly module: GPUShaderModule;
  readonly interface: KernelInterface;
  readonly layout: GPUBindGroupLayout;
}

/** Compiles each kernel once per set of constants. */
export class Pipelines {
  readonly #gpu: GPUDevice;
  readonly #fail: (error: LetheError) => void;
  readonly #programs = new Map<string, Program>();
  readonly #pipelines = new Map<string, Pipeline>();

  constructor(gpu: WebGPUDevice, fail: (error: LetheError) => void) {
    this.#gpu = gpu;
    this.#fail = fail;
  }

  get(kernel: string, constants: Constants): Pipeline {
    let key = kernel;
    for (const name in constants) key += `,${name}=${Number(constants[name])}`;
    const known = this.#pipelines.get(key);
    if (known) return known;
    const pipeline = this.#guarded(kernel, () => this.#compile(kernel, key, constants));
    this.#pipelines.set(key, pipeline);
    return pipeline;
  }

  #compile(kernel: string, key: string, constants: Constants): Pipeline {
    const { module, interface: face, layout } = this.#program(kernel);
    for (const name in constants) {
      if (!face.overrides.has(name))
        throw new DeviceValidationError(`kernel ${kernel} has no override constant ${name}`);
    }
    const gpu = this.#gpu.createComputePipeline({
      label: key,
      layout: this.#gpu.createPipelineLayout({ label: kernel, bindGroupLayouts: [layout] }),
      compute: {
        module,
        entryPoint: "main",
        constants: Object.fromEntries(Object.entries(constants).map(([name, value]) => [name, Number(value)])),
      },
    });
    return { id: this.#pipelines.size, kernel, interface: face, gpu, layout };
  }

  #program(kernel: string): Program {
    const known = this.#programs.get(kernel);
    if (known) return known;
    const code = wgsl(kernel);
    const face = readInterface(code);
    const module = this.#gpu.createShaderModule({ label: kernel, code });
    const entries: GPUBindGroupLayoutEntry[] = face.storage.map(({ index, writable }) => ({
      binding: index,
      visibility: GPUShaderStage.COMPUTE,
      buffer: { type: writable ? "storage" : "read-only-storage" },
    }));
    if (face.params.length > 0) {
      const buffer: GPUBufferBindingLayout = { type: "uniform", hasDynamicOffset: true };
      entries.push({ binding: 0, visibility: GPUShaderStage.COMPUTE, buffer });
    }
    const layout = this.#gpu.createBindGroupLayout({ label: kernel, entries });
    const program = { module, interface: face, layout };
    this.#programs.set(kernel, program);
    return program;
  }

  /** Runs a compilation; a fault found later, asynchronously, becomes the device's failure, with the compiler's words. */
  #guarded<T>(kernel: string, compile: () => T): T {
    this.#gpu.pushErrorScope("validation");
    try {
      return compile();
    } finally {
      this.#gpu.popErrorScope().then(
        (error) => {
          if (error) this.#fail(new DeviceValidationError(`kernel ${kernel} does not compile: ${error.message}`));
        },
        () => {}, // The device is lost, which is reported by itself.
      );
    }
  }
}
