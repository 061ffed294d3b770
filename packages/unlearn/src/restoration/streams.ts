import type { Device, F32 } from "@lethe/tensor";

/** The residual streams of windows, each `[B, T, d]`, on their way through the layers, or rows of them. One tensor holds those of one pass. */
export class Streams<W> implements Disposable {
  readonly #device: Device;
  readonly #bytes: number;
  readonly #places = new Map<W, { readonly tensor: F32; readonly index: number }>();

  /** @param bytes of one stream */
  constructor(device: Device, bytes: number) {
    this.#device = device;
    this.#bytes = bytes;
  }

  /** Stores the result of a pass, a stream for each of `windows`. */
  put(windows: readonly W[], tensor: F32): void {
    for (const [index, window] of windows.entries()) {
      this.#places.get(window)?.tensor.dispose();
      this.#places.set(window, { tensor: tensor.retain(), index });
    }
  }

  /** The streams of `windows` one after another, `[k·B, T, d]`, without a copy where one tensor holds just these. */
  take(windows: readonly W[]): F32 {
    const places = windows.map((window) => this.#places.get(window)!);
    const { tensor } = places[0]!;
    const whole = places.every((place, i) => place.index === i && place.tensor.storage === tensor.storage);
    if (whole && tensor.bytes === windows.length * this.#bytes) return tensor;
    const [, ...rest] = tensor.shape;
    const sequences = (this.#bytes / tensor.bytes) * tensor.shape[0]! * windows.length;
    const taken = this.#device.empty([sequences, ...rest], "f32", "residual streams");
    for (const [i, place] of places.entries())
      this.#device.copyBytes(place.tensor, place.index * this.#bytes, taken, i * this.#bytes, this.#bytes);
    return taken;
  }

  [Symbol.dispose](): void {
    for (const { tensor } of this.#places.values()) tensor.dispose();
  }
}
