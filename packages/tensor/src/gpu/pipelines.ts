import { wgsl } from "#wgsl";
import { DeviceValidationError, LetheError } from "../errors.ts";
import type { Faults } from "./faults.ts";
import { computeStage } from "./flags.ts";
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

/** A pipeline, and when it was asked for the last time. */
interface Compiled {
  readonly pipeline: Pipeline;
  readonly constants: Constants;
  lastUse: number;
}

/** A model uses about a hundred. */
const mostPipelines = 1024;
/** A kernel's parameters take no more than the smallest alignment of a uniform binding. */
const mostParams = 64;

/** Compiles each kernel once per set of constants, and again where it was not used for long. */
export class Pipelines {
  readonly #gpu: GPUDevice;
  readonly #faults: Faults;
  /** Text of each kernel in use, by name. */
  readonly #texts = new Map<string, string>();
  /** By text, with its constants in it. */
  readonly #programs = new Recent<string, Program>(mostPipelines);
  readonly #compiled = new Map<string, Compiled[]>();
  /** How often a pipeline was asked for. */
  #now = 0;
  #size = 0;

  constructor(gpu: WebGPUDevice, faults: Faults) {
    this.#gpu = gpu;
    this.#faults = faults;
  }

  get size(): number {
    return this.#size;
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
    const compiled = this.#compiled.get(kernel);
    if (compiled)
      for (const one of compiled)
        if (areEqual(one.constants, constants)) {
          one.lastUse = ++this.#now;
          return one.pipeline;
        }
    const pipeline = this.#faults.watch(
      ["validation"],
      () => this.#compile(kernel, constants),
      ({ message }) => new DeviceValidationError(`kernel ${kernel} does not compile: ${message}`),
    );
    if (this.#size >= mostPipelines) this.#forgetOld();
    const one = { pipeline, constants: { ...constants }, lastUse: ++this.#now };
    if (!this.#compiled.get(kernel)?.push(one)) this.#compiled.set(kernel, [one]);
    this.#size++;
    return pipeline;
  }

  /** Lets go of the tenth that was not asked for for the longest time. */
  #forgetOld(): void {
    const uses = [...this.#compiled.values()].flatMap((list) => list.map(({ lastUse }) => lastUse));
    const oldest = uses.sort((a, b) => a - b)[Math.floor(mostPipelines / 10)]!;
    for (const [kernel, list] of this.#compiled) {
      const kept = list.filter(({ lastUse }) => lastUse >= oldest);
      this.#compiled.set(kernel, kept);
      this.#size -= list.length - kept.length;
    }
  }

  #compile(kernel: string, constants: Constants): Pipeline {
    const { module, interface: declared, layout } = this.#program(kernel, constants);
    for (const name in constants) {
      if (!declared.overrides.has(name) && !declared.defines.has(name))
        throw new DeviceValidationError(`kernel ${kernel} has no constant ${name}`);
    }
    const overrides = Object.entries(constants).filter(([name]) => declared.overrides.has(name));
    const gpu = this.#gpu.createComputePipeline({
      label: [kernel, ...Object.entries(constants).map(([name, value]) => `${name}=${Number(value)}`)].join(),
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
    if (declared.params.length > mostParams)
      throw new DeviceValidationError(
        `kernel ${kernel} has ${declared.params.length} parameters and may have ${mostParams}; put more in a buffer`,
      );
    const module = this.#gpu.createShaderModule({ label: kernel, code });
    const entries: GPUBindGroupLayoutEntry[] = declared.storage.map(({ index, writable }) => ({
      binding: index,
      visibility: computeStage,
      buffer: { type: writable ? "storage" : "read-only-storage" },
    }));
    if (declared.params.length > 0) {
      entries.push({ binding: 0, visibility: computeStage, buffer: { type: "uniform" } });
    }
    const layout = this.#gpu.createBindGroupLayout({ label: kernel, entries });
    const program = { module, interface: declared, layout };
    this.#programs.set(code, program);
    return program;
  }
}

/** Whether two sets of constants have the same names and values. */
function areEqual(own: Constants, given: Constants): boolean {
  let count = 0;
  for (const name in given) {
    if (own[name] === undefined || Number(own[name]) !== Number(given[name])) return false;
    count++;
  }
  for (const _ in own) count--;
  return count === 0;
}
