import type { Device, F32 } from "@lethe/tensor";

/**
 * The residual stream on its way through the stages of a pass. Each stage runs in a scope of its own, and what went in is let go
 * when it is done; whoever records the pass for a gradient holds what it needs by itself.
 */
export class Stages implements Disposable {
  readonly #device: Device;
  #stream: F32 | null = null;

  constructor(device: Device) {
    this.#device = device;
  }

  /** Replaces the stream by what `work` makes of it. The first stage is given none. */
  step(label: string, work: (stream: F32) => F32): void {
    const stream = this.#stream as F32;
    using _scope = this.#device.scope(label);
    this.#stream = work(stream).retain();
    stream?.dispose();
  }

  /** The stream as it stands, handed to the innermost open scope. */
  take(): F32 {
    const stream = this.#stream as F32;
    this.#device.own(stream);
    this.#stream = null;
    return stream;
  }

  [Symbol.dispose](): void {
    this.#stream?.dispose();
  }
}
