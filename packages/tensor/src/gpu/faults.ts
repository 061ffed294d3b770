import { LetheError } from "../errors.ts";
import type { WebGPUDevice } from "./webgpu-types.ts";

/** Calls a function that starts a task of the device, and gives the task's promise; see `paced` in `paced.node.ts`. */
export type Start = <T>(task: () => Promise<T>) => Promise<T>;

/** WebGPU's kinds of errors, see `GPUErrorFilter`. */
type FaultKind = "validation" | "out-of-memory" | "internal";

/** WebGPU's error, see `GPUError`. */
interface Fault {
  readonly message: string;
}

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
   * What the driver throws at once is thrown as the same failure.
   * @param toError makes the failure from what the device says
   */
  watch<T>(filters: readonly FaultKind[], work: () => T, toError: (fault: Fault) => LetheError): T {
    for (const filter of filters) this.#gpu.pushErrorScope(filter);
    try {
      return work();
    } catch (error) {
      throw error instanceof LetheError ? error : toError({ message: String(error) });
    } finally {
      for (const _ of filters) this.#pop(toError);
    }
  }

  /** Resolves when all work so far has been checked. */
  async settled(): Promise<void> {
    await Promise.all(this.#pending);
  }

  #pop(toError: (fault: Fault) => LetheError): void {
    const checked = this.#start(() => this.#gpu.popErrorScope())
      .then(
        (fault) => {
          if (fault) this.#fail(toError(fault));
        },
        () => {}, // The device is lost, which is reported by itself.
      )
      .finally(() => this.#pending.delete(checked));
    this.#pending.add(checked);
  }
}
