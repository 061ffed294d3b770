import { OutOfMemoryError } from "../errors.ts";
import type { Faults } from "./faults.ts";
import { bufferUsage } from "./flags.ts";
import type { WebGPUDevice } from "./webgpu-types.ts";

/** Bytes that are kept for later reads. Larger reads take so long that a buffer of their own costs nothing beside. */
const mostKept = 2 ** 22;

/** The buffers through which values come back to the host. They are kept, so that a read in each step of a task makes none. */
export class Readbacks {
  readonly #gpu: GPUDevice;
  readonly #faults: Faults;
  readonly #free: GPUBuffer[] = [];
  #bytes = 0;

  constructor(gpu: WebGPUDevice, faults: Faults) {
    this.#gpu = gpu;
    this.#faults = faults;
  }

  /** A buffer of at least so many bytes. Give it back unmapped, or destroy it. */
  take(bytes: number, label: string): GPUBuffer {
    const size = Math.max(256, 2 ** Math.ceil(Math.log2(bytes)));
    const known = this.#free.findIndex((buffer) => buffer.size === size);
    if (known >= 0) {
      this.#bytes -= size;
      return this.#free.splice(known, 1)[0]!;
    }
    return this.#faults.watch(
      ["out-of-memory"],
      () =>
        this.#gpu.createBuffer({
          label,
          size: size > mostKept ? bytes : size,
          usage: bufferUsage.MAP_READ | bufferUsage.COPY_DST,
        }),
      ({ message }) => new OutOfMemoryError(`no memory for the ${label} (${bytes} bytes): ${message}`),
    );
  }

  give(buffer: GPUBuffer): void {
    if (this.#bytes + buffer.size > mostKept) {
      buffer.destroy();
      return;
    }
    this.#bytes += buffer.size;
    this.#free.push(buffer);
  }

  /** Destroys those that are kept. */
  trim(): void {
    for (const buffer of this.#free) buffer.destroy();
    this.#free.length = 0;
    this.#bytes = 0;
  }
}
