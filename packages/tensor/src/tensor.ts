import { freeHostBytes, mappingsInUse, paced } from "#adapter";
import { unlessAborted } from "./abort.ts";
import { callable, checkerOf, numbers, oneOf, shapeKind, text } from "./arguments.ts";
import { type ArrayOf, byteLength, type DType, dtypes } from "./dtype.ts";
import {
  DeviceLostError,
  DeviceValidationError,
  LetheError,
  OutOfMemoryError,
  ReleasedError,
  ShapeError,
} from "./errors.ts";
import { adapterNameOf, type Capabilities, capabilitiesOf } from "./gpu/capabilities.ts";
import { checkCall } from "./gpu/check-call.ts";
import { Faults, type Start } from "./gpu/faults.ts";
import { mapForReading } from "./gpu/flags.ts";
import type { MemoryReport } from "./gpu/memory-report.ts";
import type { DeviceOptions } from "./gpu/options.ts";
import { type Constants, Pipelines } from "./gpu/pipelines.ts";
import { type BoundRange, BufferPool, Storage } from "./gpu/pool.ts";
import { Readbacks } from "./gpu/readbacks.ts";
import { Recorder } from "./gpu/recorder.ts";
import { Recording } from "./gpu/recording.ts";
import type { WebGPUAdapterInfo, WebGPUDevice } from "./gpu/webgpu-types.ts";
import { decode, encode } from "./packed.ts";
import { rowMajor, type Values } from "./row-major.ts";
import { Scope } from "./scope.ts";
import { type Shape, show, sizeOf } from "./shape.ts";

// Tensor and Device use each other's types. They share this file so that no two files import each other.

const checkReshape = checkerOf("reshape", { shape: shapeKind });

/**
 * Numbers on the device, with their shape in the type. Row-major and contiguous. Made by {@link Device} and by operations;
 * released by the scope it was made in, by `dispose()`, or by `using`.
 */
export class Tensor<out S extends Shape = Shape, out D extends DType = DType> {
  readonly shape: S;
  readonly dtype: D;
  /** Says what made the tensor, in error messages and leak reports. */
  readonly label: string;
  readonly size: number;
  readonly device: Device;
  #storage: Storage | null;

  constructor(device: Device, storage: Storage, shape: S, dtype: D, label: string) {
    this.device = device;
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

  get released(): boolean {
    return this.#storage === null;
  }

  /** Bytes of the elements, without the pool's rounding. */
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
   * @throws {ArgumentError} when the shape is not one, and {@link ShapeError} when the element counts differ.
   */
  reshape<const T extends Shape>(shape: T): Tensor<T, D> {
    checkReshape([shape]);
    if (sizeOf(shape) !== this.size)
      throw new ShapeError(
        `reshape: ${show(this.shape)} has ${this.size} elements and ${show(shape)} has ${sizeOf(shape)}`,
      );
    const view = new Tensor(this.device, this.storage.hold(), shape, this.dtype, this.label);
    this.device.own(view);
    return view;
  }

  /**
   * A second handle on the same numbers, without a copy. It belongs to no scope, so the caller disposes of it. Captures and caches
   * use it to outlive the scope in which their tensors were made.
   */
  retain(): Tensor<S, D> {
    return new Tensor(this.device, this.storage.hold(), this.shape, this.dtype, this.label);
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

/** A tensor, or a part of its buffer: `offset` and `size` in bytes, `offset` a multiple of the binding alignment. */
export type Binding = Tensor | { readonly tensor: Tensor; readonly offset: number; readonly size: number };

/** One run of a kernel. Names are those of the WGSL source; all of them must be given. */
export interface Dispatch {
  readonly kernel: string;
  readonly constants?: Constants;
  readonly bindings: Readonly<Record<string, Binding>>;
  readonly params?: Readonly<Record<string, number>>;
  /** Workgroups in x, y and z; {@link Device.grid} spreads a long row of them over two dimensions. */
  readonly workgroups: readonly [number, number, number];
}

const made = { shape: shapeKind, dtype: oneOf(dtypes), label: text };
const checkEmpty = checkerOf("empty", made);
const checkLasting = checkerOf("lasting", made);
const checkRecord = checkerOf("record", { work: callable });
const checkTensor = checkerOf("tensor", { values: numbers, ...made });

/** An open WebGPU device. It makes tensors, runs kernels, keeps the queue full and accounts for the memory. */
export class Device {
  readonly gpu: WebGPUDevice;
  readonly adapterName: string;
  readonly capabilities: Capabilities;
  readonly pool: BufferPool;
  readonly #start: Start;
  readonly #faults: Faults;
  readonly #pipelines: Pipelines;
  readonly #recorder: Recorder;
  readonly #readbacks: Readbacks;
  readonly #scopes: Scope[] = [];
  readonly #poison: boolean;
  readonly #memoryBytes: number | undefined;
  #failure: LetheError | null = null;

  constructor(gpu: WebGPUDevice, info: WebGPUAdapterInfo, options: DeviceOptions = {}) {
    this.gpu = gpu;
    this.adapterName = adapterNameOf(info);
    const capabilities = capabilitiesOf(gpu, info);
    const maxBindingBytes = Math.min(options.maxBindingBytes ?? Infinity, capabilities.maxBindingBytes);
    this.capabilities = { ...capabilities, maxBindingBytes, ...(options.tuning && { tuning: options.tuning }) };
    this.#poison = options.poison ?? false;
    this.#memoryBytes = options.memoryBytes;
    const fail = (error: LetheError) => this.#fail(error);
    this.#start = capabilities.software ? paced : (task) => task();
    this.#faults = new Faults(gpu, this.#start, fail);
    this.pool = new BufferPool(gpu, this.#faults);
    this.#pipelines = new Pipelines(gpu, this.#faults);
    this.#recorder = new Recorder(gpu, this.#faults, this.#start);
    this.#readbacks = new Readbacks(gpu, this.#faults);
    const uncaptured = (event: GPUUncapturedErrorEvent) => {
      event.preventDefault();
      const Kind = event.error instanceof GPUOutOfMemoryError ? OutOfMemoryError : DeviceValidationError;
      fail(new Kind(event.error.message));
    };
    gpu.addEventListener("uncapturederror", uncaptured);
    gpu.lost.then(({ reason, message }) => {
      // In Node, Dawn keeps a listener for as long as the process lives, and this one would keep the whole device.
      gpu.removeEventListener("uncapturederror", uncaptured);
      const last = this.#recorder.lastKernel;
      const during = last ? `; the last operation recorded was ${last}` : "";
      fail(new DeviceLostError(`the device was lost (${reason}): ${message}${during}`));
    });
  }

  /** Throws the first failure of the device, if there was one. No work continues after a failure. */
  check(): void {
    if (this.#failure) throw this.#failure;
  }

  /** A tensor with undefined values, for kernels that write every element. */
  empty<const S extends Shape, D extends DType = "f32">(shape: S, dtype = "f32" as D, label = "tensor"): Tensor<S, D> {
    checkEmpty([shape, dtype, label]);
    const tensor = this.#make(shape, dtype, label, false);
    this.own(tensor);
    return tensor;
  }

  /**
   * As {@link Device.empty}, for tensors that live long, such as a model's weights. The tensor belongs to no scope, so the caller
   * disposes of it, and its buffer is as small as possible.
   */
  lasting<const S extends Shape, D extends DType>(shape: S, dtype: D, label: string): Tensor<S, D> {
    checkLasting([shape, dtype, label]);
    return this.#make(shape, dtype, label, true);
  }

  /**
   * A tensor with given values, in row-major order or in nested arrays of its shape. Numbers are rounded to nearest even for f16 and bf16.
   * @throws {ShapeError} when there are more or fewer values than the shape holds.
   * @throws {ArgumentError} when nested arrays do not have the shape, or a value is not a number that the dtype holds.
   */
  tensor<const S extends Shape, D extends DType = "f32">(
    values: Values,
    shape: S,
    dtype = "f32" as D,
    label = "tensor",
  ): Tensor<S, D> {
    checkTensor([values, shape, dtype, label]);
    const flat = rowMajor(values, shape, dtype);
    if (flat.length !== sizeOf(shape))
      throw new ShapeError(`${label}: ${flat.length} values for shape ${show(shape)}, which holds ${sizeOf(shape)}`);
    const tensor = this.empty(shape, dtype, label);
    this.#recorder.write(tensor.storage.buffer, tensor.storage.offset, encode(flat, dtype));
    return tensor;
  }

  /**
   * Uploads raw bytes in the tensor's own dtype at a byte offset, a multiple of 4: a checkpoint is loaded in pieces.
   * @throws {ShapeError} when the bytes do not fit.
   */
  writeBytes(tensor: Tensor, offset: number, bytes: Uint8Array): void {
    this.check();
    if (offset % 4 !== 0 || offset + bytes.length > tensor.bytes)
      throw new ShapeError(`${tensor.label}: ${bytes.length} bytes at ${offset} do not fit its ${tensor.bytes} bytes`);
    // WebGPU writes whole 32-bit words; only a tensor's last half-word can be left over.
    const whole = bytes.length % 4 === 0 ? bytes : new Uint8Array(Math.ceil(bytes.length / 4) * 4);
    if (whole !== bytes) whole.set(bytes);
    this.#recorder.write(tensor.storage.buffer, tensor.storage.offset + offset, whole);
  }

  /**
   * Makes a kernel of the caller's own known to this device, so that {@link Device.dispatch} can run it by its name.
   * @param source WGSL, with the entry point `main`, storage buffers in group 0 and, at binding 0, a uniform `params` of type
   *   `Params` where it has parameters; see `kernels/README.md`. It must not read or write past the end of an array: SwiftShader in Node
   *   does not catch it, and the process can end.
   * @throws {LetheError} when this device has another kernel of that name
   */
  addKernel(name: string, source: string): void {
    this.#pipelines.add(name, source);
  }

  /**
   * Records one run of a kernel.
   * @throws {DeviceValidationError} when the call does not fit the kernel or the adapter.
   */
  dispatch(call: Dispatch): void {
    this.check();
    const { kernel, constants = {}, bindings, params = {}, workgroups } = call;
    const pipeline = this.#pipelines.get(kernel, constants);
    const [x, y, z] = workgroups;
    if (x * y * z === 0) return;
    if (!(Math.max(x, y, z) <= this.capabilities.maxWorkgroupsPerDimension))
      throw new DeviceValidationError(
        `kernel ${kernel}: ${show(workgroups)} workgroups are more than the adapter allows`,
      );
    const ranges: BoundRange[] = [];
    for (const { name } of pipeline.interface.storage) ranges.push(this.#range(kernel, name, bindings[name]));
    checkCall(pipeline, ranges, bindings, params);
    this.#recorder.dispatch(pipeline, ranges, params, workgroups);
    this.#giveUpOutdated();
  }

  /**
   * Runs work, and keeps it to be done again by `replay()`, which takes the host a fraction of the time: no operation checks its arguments,
   * plans or takes memory. Each replay runs the same kernels with the same parameters on the same buffers. So what varies from time to time
   * must be in tensors that were made before, such as token ids, and be written to them with {@link Device.writeBytes}. Work that depends on
   * other numbers, such as an optimiser's step on its learning rate, stays outside and goes on from the recording's tensors. Values that
   * the work itself uploads are uploaded again as they were.
   * @param work what is recorded, without waiting for anything
   * @throws {LetheError} when the work reads a tensor or makes a recording of its own
   */
  record<T>(work: () => T): Recording<T> {
    checkRecord([work]);
    this.check();
    const { result, commands } = this.#recorder.record(work);
    return new Recording(result, commands, this.pool, () => {
      this.check();
      this.#giveUpOutdated();
    });
  }

  /** Workgroup counts for `count` workgroups in a row, which may be more than one dimension allows: id = x + y · width. */
  grid(count: number): [number, number, number] {
    const limit = this.capabilities.maxWorkgroupsPerDimension;
    if (count <= limit) return [count, 1, 1];
    const y = Math.ceil(count / limit);
    return [Math.ceil(count / y), y, 1];
  }

  /** Copies `bytes` from one tensor's buffer to another's; offsets and length are multiples of 4. */
  copyBytes(from: Tensor, fromOffset: number, to: Tensor, toOffset: number, bytes: number): void {
    this.check();
    const [source, target] = [from.storage, to.storage];
    if (source.buffer === target.buffer) {
      // WebGPU copies from one buffer to another.
      using between = this.lasting([Math.ceil(bytes / 4)], "u32", "copy within a buffer");
      this.copyBytes(from, fromOffset, between, 0, bytes);
      this.copyBytes(between, 0, to, toOffset, bytes);
      return;
    }
    this.#recorder.copy(source.buffer, source.offset + fromOffset, target.buffer, target.offset + toOffset, bytes);
  }

  /** Reads a tensor's values back; see {@link Tensor.read}. */
  read<D extends DType>(tensor: Tensor<Shape, D>): Promise<ArrayOf<D>> {
    const values = this.#read(tensor);
    // Who waits for the values hears of a failure. A read that nobody waits for any more must not end the process.
    values.catch(() => {});
    return values;
  }

  /**
   * Resolves when little enough of the recorded work is unfinished: about a second of it. A long task that does not read its results waits
   * here now and then; so it takes no more memory than it needs, and can be stopped at once.
   * @throws the signal's reason, as soon as it is aborted
   */
  async ready(signal?: AbortSignal): Promise<void> {
    this.check();
    await unlessAborted(this.#recorder.ready(), signal);
    this.check();
  }

  /** Resolves when the device has done all work that was recorded. */
  async idle(): Promise<void> {
    this.#recorder.flush();
    await this.#recorder.ready();
    await this.#start(() => this.gpu.queue.onSubmittedWorkDone());
    await this.#faults.settled();
    this.check();
  }

  /** Opens a scope; tensors made from now on belong to it. See {@link Scope}. */
  scope(label: string): Scope {
    return new Scope(label, this.#scopes);
  }

  /** Runs `work` in a scope of its own and keeps the one tensor that it returns. */
  scoped<T extends Tensor>(label: string, work: () => T): T {
    using scope = this.scope(label);
    return scope.keep(work());
  }

  /** Gives a new tensor to the innermost open scope. */
  own(tensor: Tensor): void {
    this.#scopes.at(-1)?.own(tensor);
  }

  /** Bytes in use, at peak and pooled, live tensors by label, and how many there are of all else that a driver pays for. */
  memory(): MemoryReport {
    const { bindGroups, submissions } = this.#recorder;
    return {
      ...this.pool.report(),
      bindGroups,
      pipelines: this.#pipelines.size,
      batches: submissions.counts,
      get mappings() {
        return mappingsInUse();
      },
    };
  }

  /**
   * Bytes that the device can still give, the pool's free buffers included: the rest of the `memoryBytes` that it was opened with or, for
   * a software adapter, of this machine's memory. Null where this is not known: WebGPU cannot ask a GPU's driver.
   */
  freeBytes(): number | null {
    const { bytesInUse, bytesPooled } = this.memory();
    if (this.#memoryBytes !== undefined) return Math.max(0, this.#memoryBytes - bytesInUse);
    // A software adapter's buffers are memory of this process, which the machine counts as taken.
    const free = this.capabilities.software ? freeHostBytes() : null;
    return free === null ? null : free + bytesPooled;
  }

  /** Kernel runs recorded since the device was opened. */
  get dispatches(): number {
    return this.#recorder.totalDispatches;
  }

  /** Returns the pool's free memory to the system, once the recorded work is done with it. Inside {@link Device.record} it does nothing. */
  trim(): void {
    if (this.#recorder.recording) return;
    this.#recorder.destroy(this.pool.giveUp());
    this.#readbacks.trim();
  }

  /** Closes the device. Work that has not begun is dropped: every later use throws, and so do reads that are waited for. */
  destroy(): void {
    this.#fail(new DeviceLostError("the device was closed with destroy()"));
    this.gpu.destroy();
  }

  #fail(error: LetheError): void {
    this.#failure ??= error;
    this.#recorder.drop();
  }

  async #read<D extends DType>(tensor: Tensor<Shape, D>): Promise<ArrayOf<D>> {
    this.check();
    const { dtype, size, bytes } = tensor;
    if (size === 0) return decode(new ArrayBuffer(0), dtype, 0);
    if (this.#recorder.recording)
      throw new LetheError(`${tensor.label} was read inside \`record\`; read it after the recording`);
    const staging = this.#readbacks.take(bytes, `read of ${tensor.label}`);
    this.#recorder.readBack(tensor.storage.buffer, tensor.storage.offset, staging, bytes);
    const { batch, submissions } = this.#recorder;
    this.#recorder.flush();
    try {
      await submissions.afterSubmit(batch);
      this.check();
      await this.#start(() => staging.mapAsync(mapForReading, 0, bytes));
      await this.#faults.settled();
      await this.#recorder.relieve();
      this.check();
      const values = decode(staging.getMappedRange(0, bytes).slice(0), dtype, size);
      staging.unmap();
      this.#readbacks.give(staging);
      return values;
    } catch (error) {
      staging.destroy();
      await this.#faults.settled();
      this.check();
      throw new DeviceValidationError(`reading ${tensor.label} failed: ${error}`, { cause: error });
    }
  }

  /** Destroys buffers that the pool gives up. A recording that is being made may use any again. */
  #giveUpOutdated(): void {
    if (this.#recorder.recording) return;
    const outdated = this.pool.outdated(this.#recorder.totalDispatches);
    if (outdated.length > 0) this.#recorder.destroy(outdated);
  }

  #range(kernel: string, name: string, binding: Binding | undefined): BoundRange {
    if (!binding) throw new DeviceValidationError(`kernel ${kernel}: binding ${name} was not given`);
    const { tensor, offset, size } =
      binding instanceof Tensor ? { tensor: binding, offset: 0, size: Math.max(binding.bytes, 4) } : binding;
    if (tensor.device !== this) throw new LetheError(`kernel ${kernel}: ${tensor.label} belongs to another device`);
    if (size > this.capabilities.maxBindingBytes)
      throw new DeviceValidationError(
        `kernel ${kernel}: ${name} binds ${size} bytes and this adapter allows ${this.capabilities.maxBindingBytes}`,
      );
    // Bindings of vectors need whole 16-byte elements. The pool's buffers are long enough for that.
    const { buffer, offset: begin } = tensor.storage;
    const padded = Math.min(Math.ceil(size / 16) * 16, buffer.bytes - begin - offset);
    return { buffer, offset: begin + offset, size: padded };
  }

  #make<S extends Shape, D extends DType>(shape: S, dtype: D, label: string, exact: boolean): Tensor<S, D> {
    this.check();
    const buffer = this.pool.take(byteLength(dtype, sizeOf(shape)), label, exact);
    const tensor = new Tensor(this, new Storage(this.pool, buffer), shape, dtype, label);
    if (this.#poison) this.#fillWithNaN(tensor);
    return tensor;
  }

  #fillWithNaN(tensor: Tensor): void {
    const { bytes } = tensor.storage.buffer;
    const { maxBindingBytes, bindingAlignment } = this.capabilities;
    const step = Math.floor(maxBindingBytes / bindingAlignment) * bindingAlignment;
    for (let offset = 0; offset < bytes; offset += step) {
      const size = Math.min(step, bytes - offset);
      this.dispatch({
        kernel: "fill",
        bindings: { out: { tensor, offset, size } },
        params: { count: size / 4, bits: 0xffffffff },
        workgroups: this.grid(Math.ceil(size / 1024)),
      });
    }
  }
}
