import { wgsl } from "#wgsl";
import { DeviceValidationError, LetheError } from "../errors.ts";
import type { Faults } from "./faults.ts";
import { define } from "./include.ts";
import { type KernelInterface, readInterface } from "./interface.ts";
import { Recent } from "./recent.ts";
import type { WebGPUBindGroupLayout, WebGPUComputePipeline, WebGPUDevice } from "./webgpu-types.ts";

/** Values of a kernel's constants: `override`, or `const` with `//! define`. Booleans become 0 and 1. */
export type Constants = Readonly<Record<string, number | boolean>>;

/** A kernel compiled for one set of constants. */
export interface Pipeline {
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

/** A model uses about a hundred. */
const mostPipelines = 1024;

/** Compiles each kernel once per set of constants, and again where it was not used for long. */
export class Pipelines {
  readonly #gpu: GPUDevice;
  readonly #faults: Faults;
  /** Text of each kernel in use, by name. */
  readonly #texts = new Map<string, string>();
  /** By text, with its constants in it. */
  readonly #programs = new Recent<string, Program>(mostPipelines);
  readonly #pipelines = new Recent<string, Pipeline>(mostPipelines);

  constructor(gpu: WebGPUDevice, faults: Faults) {
    this.#gpu = gpu;
    this.#faults = faults;
  }

  get size(): number {
    return this.#pipelines.size;
  }

  /** See `Device.addKernel`. */
  add(kernel: string, source: string): void {
    const known = this.#texts.get(kernel);
    if (known === source) return;
    if (known !== undefined)
      throw new LetheError(`addKernel: this device has another kernel of the name ${kernel}; choose another name`);
    this.#texts.set(kernel, source);
  }

  get(kernel: string, constants: Constants): Pipeline {
    let key = kernel;
    for (const name in constants) key += `,${name}=${Number(constants[name])}`;
    const known = this.#pipelines.get(key);
    if (known) return known;
    const pipeline = this.#faults.watch(
      ["validation"],
      () => this.#compile(kernel, key, constants),
      ({ message }) => new DeviceValidationError(`kernel ${kernel} does not compile: ${message}`),
    );
    this.#pipelines.set(key, pipeline);
    return pipeline;
  }

  #compile(kernel: string, key: string, constants: Constants): Pipeline {
    const { module, interface: declared, layout } = this.#program(kernel, constants);
    for (const name in constants) {
      if (!declared.overrides.has(name) && !declared.defines.has(name))
        throw new DeviceValidationError(`kernel ${kernel} has no constant ${name}`);
    }
    const overrides = Object.entries(constants).filter(([name]) => declared.overrides.has(name));
    const gpu = this.#gpu.createComputePipeline({
      label: key,
      layout: this.#gpu.createPipelineLayout({ label: kernel, bindGroupLayouts: [layout] }),
      compute: {
        module,
        entryPoint: "main",
        constants: Object.fromEntries(overrides.map(([name, value]) => [name, Number(value)])),
      },
    });
    return { kernel, interface: declared, gpu, layout };
  }

  #program(kernel: string, constants: Constants): Program {
    const text = this.#texts.get(kernel) ?? wgsl(kernel);
    this.#texts.set(kernel, text);
    const code = define(text, constants);
    const known = this.#programs.get(code);
    if (known) return known;
    const declared = readInterface(code);
    const module = this.#gpu.createShaderModule({ label: kernel, code });
    const entries: GPUBindGroupLayoutEntry[] = declared.storage.map(({ index, writable }) => ({
      binding: index,
      visibility: GPUShaderStage.COMPUTE,
      buffer: { type: writable ? "storage" : "read-only-storage" },
    }));
    if (declared.params.length > 0) {
      const buffer: GPUBufferBindingLayout = { type: "uniform", hasDynamicOffset: true };
      entries.push({ binding: 0, visibility: GPUShaderStage.COMPUTE, buffer });
    }
    const layout = this.#gpu.createBindGroupLayout({ label: kernel, entries });
    const program = { module, interface: declared, layout };
    this.#programs.set(code, program);
    return program;
  }
}
