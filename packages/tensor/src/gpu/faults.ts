import type { LetheError } from "../errors.ts";
import type { WebGPUDevice } from "./webgpu-types.ts";

/** Calls a function that starts a task of the device, and gives the task's promise; see `paced` in `paced.node.ts`. */
export type Start = <T>(task: () => Promise<T>) => Promise<T>;

/** The faults that a device finds in its work, some time after it was given the work. */
export class Faults {
  readonly #gpu: GPUDevice;
  readonly #start: Start;
  readonly #fail: (error: LetheError) => void;
  readonly #pending = new Set<Promise<void>>();

  /** @param fail is called with each fault */
  constructor(gpu: WebGPUDevice, start: Start, fail: (error: LetheError) => void) {
    this.#gpu = gpu;
    this.#start = start;
    this.#fail = fail;
  }

  /**
   * Runs `work`. Each fault of the kinds in `filters` that the device finds in it, now or later, is a failure.
   * @param toError makes the failure from what the device says
   */
  watch<T>(filters: readonly GPUErrorFilter[], work: () => T, toError: (error: GPUError) => LetheError): T {
    for (const filter of filters) this.#gpu.pushErrorScope(filter);
    try {
      return work();
    } finally {
      for (const _ of filters) this.#pop(toError);
    }
  }

  /** Resolves when all work so far has been checked. */
  async settled(): Promise<void> {
    await Promise.all(this.#pending);
  }

  #pop(toError: (error: GPUError) => LetheError): void {
    const checked = this.#start(() => this.#gpu.popErrorScope())
      .then(
        (error) => {
          if (error) this.#fail(toError(error));
        },
        () => {}, // The device is lost, which is reported by itself.
      )
      .finally(() => this.#pending.delete(checked));
    this.#pending.add(checked);
  }
}
