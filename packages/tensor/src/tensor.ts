import { type ArrayOf, byteLength, type DType } from "./dtype.ts";
import { ReleasedError, ShapeError } from "./errors.ts";
import type { Device } from "./gpu/device.ts";
import type { PooledBuffer } from "./gpu/pool.ts";
import { checkShape, type Shape, show, sizeOf } from "./shape.ts";

/** A device buffer shared by a tensor and its reshaped views; it returns to the pool when the last of them is released. */
export class Storage {
  readonly device: Device;
  readonly buffer: PooledBuffer;
  #holders = 1;

  constructor(device: Device, buffer: PooledBuffer) {
    this.device = device;
    this.buffer = buffer;
  }

  hold(): this {
    this.#holders++;
    return this;
  }

  release(): void {
    if (--this.#holders === 0) this.device.pool.give(this.buffer);
  }
}

/**
 * Numbers on the device, with their shape in the type. Row-major and contiguous. Made by {@link Device} and by operations;
 * released by the scope it was made in, by `dispose()`, or by `using`.
 */
export class Tensor<out S extends Shape = Shape, out D extends DType = DType> {
  readonly shape: S;
  readonly dtype: D;
  /** What made it, for error messages and leak reports. */
  readonly label: string;
  readonly size: number;
  #storage: Storage | null;

  constructor(storage: Storage, shape: S, dtype: D, label: string) {
    this.#storage = storage;
    this.shape = shape;
    this.dtype = dtype;
    this.label = label;
    this.size = sizeOf(shape);
  }

  /** @throws {ReleasedError} once the tensor has been released. */
  get storage(): Storage {
    if (!this.#storage)
      throw new ReleasedError(
        `${this.label} ${show(this.shape)} was used after its release; keep it with \`scope.keep(tensor)\` if it must outlive its scope`,
      );
    return this.#storage;
  }

  get device(): Device {
    return this.storage.device;
  }

  get released(): boolean {
    return this.#storage === null;
  }

  /** Bytes the elements take, without the pool's rounding. */
  get bytes(): number {
    return byteLength(this.dtype, this.size);
  }

  /** Reads the values back, in row-major order. Waits for the device; f16 and bf16 are widened exactly to f32. */
  read(): Promise<ArrayOf<D>> {
    return this.device.read(this);
  }

  /** The one value of a one-element tensor. */
  async item(): Promise<number> {
    if (this.size !== 1) throw new ShapeError(`item: ${this.label} has shape ${show(this.shape)}, not one element`);
    return (await this.read())[0]!;
  }

  /**
   * The same numbers under another shape, without a copy.
   * @throws {ShapeError} when the element counts differ.
   */
  reshape<const T extends Shape>(shape: T): Tensor<T, D> {
    checkShape("reshape", shape);
    if (sizeOf(shape) !== this.size)
      throw new ShapeError(
        `reshape: ${show(this.shape)} has ${this.size} elements and ${show(shape)} has ${sizeOf(shape)}`,
      );
    const view = new Tensor(this.storage.hold(), shape, this.dtype, this.label);
    this.device.own(view);
    return view;
  }

  /**
   * A second handle on the same numbers, without a copy, that belongs to no scope: whoever asks for it disposes of it. How
   * captures and caches outlive the scope their tensors were made in.
   */
  retain(): Tensor<S, D> {
    return new Tensor(this.storage.hold(), this.shape, this.dtype, this.label);
  }

  /** Gives the buffer back. Releasing twice is harmless. */
  dispose(): void {
    this.#storage?.release();
    this.#storage = null;
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}
