import type { Device, F32 } from "@lethe/tensor";

/**
 * The residual stream on its way through the stages of a pass. Each stage runs in a scope of its own. Its input is released when the
 * stage is done; a tape that records the pass keeps the tensors that it needs.
 */
export class Stages implements Disposable {
  readonly #device: Device;
  #stream: F32 | null = null;

  constructor(device: Device) {
    this.#device = device;
  }

  /** Replaces the stream by the result of `work`. The first stage gets no stream. */
  step(label: string, work: (stream: F32) => F32): void {
    const stream = this.#stream as F32;
    using _scope = this.#device.scope(label);
    this.#stream = work(stream).retain();
    stream?.dispose();
  }

  /** The stream after the last stage. It now belongs to the innermost open scope. */
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
