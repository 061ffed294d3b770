import { freeHostBytes } from "#adapter";
import { type ArrayOf, byteLength, type DType } from "../dtype.ts";
import { DeviceLostError, DeviceValidationError, LetheError, ShapeError } from "../errors.ts";
import { decode, encode } from "../packed.ts";
import { Scope } from "../scope.ts";
import { checkShape, type Shape, show, sizeOf } from "../shape.ts";
import { Storage, Tensor } from "../tensor.ts";
import { type Capabilities, capabilitiesOf } from "./capabilities.ts";
import { patiently } from "./patience.ts";
import { type Constants, Pipelines } from "./pipelines.ts";
import { BufferPool, type MemoryReport } from "./pool.ts";
import { type BoundRange, Recorder } from "./recorder.ts";
import type { WebGPUAdapterInfo, WebGPUDevice } from "./webgpu-types.ts";

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

export interface DeviceOptions {
  /** Fills every buffer handed out with NaN bits first, so that a kernel that skips an element is caught. For tests. */
  readonly poison?: boolean;
  /** Pretends that the adapter's largest storage binding is this small. For tests of splitting. */
  readonly maxBindingBytes?: number;
  /**
   * Bytes of memory that may be counted on, where the adapter does not say; see {@link Device.freeBytes}. Default in Node: what
   * `LETHE_MEMORY_BYTES` in the environment says.
   */
  readonly memoryBytes?: number;
}

/** An open WebGPU device: makes tensors, runs kernels, keeps the queue full and the memory accounted for. */
export class Device {
  readonly gpu: WebGPUDevice;
  readonly adapterName: string;
  readonly capabilities: Capabilities;
  readonly pool: BufferPool;
  readonly #pipelines: Pipelines;
  readonly #recorder: Recorder;
  readonly #scopes: Scope[] = [];
  readonly #poison: boolean;
  readonly #memoryBytes: number | undefined;
  #failure: LetheError | null = null;

  constructor(gpu: WebGPUDevice, info: WebGPUAdapterInfo, options: DeviceOptions = {}) {
    this.gpu = gpu;
    this.adapterName = [info.vendor, info.architecture, info.description].filter(Boolean).join(" · ");
    const capabilities = capabilitiesOf(gpu, info);
    const maxBindingBytes = Math.min(options.maxBindingBytes ?? Infinity, capabilities.maxBindingBytes);
    this.capabilities = { ...capabilities, maxBindingBytes };
    this.#poison = options.poison ?? false;
    this.#memoryBytes = options.memoryBytes;
    const fail = (error: LetheError) => this.#fail(error);
    this.pool = new BufferPool(gpu, fail);
    this.#pipelines = new Pipelines(gpu, fail);
    this.#recorder = new Recorder(gpu, fail);
    gpu.lost.then(({ reason, message }) => {
      const last = this.#recorder.lastKernel;
      const during = last ? `; the last operation recorded was ${last}` : "";
      fail(new DeviceLostError(`the device was lost (${reason}): ${message}${during}`));
    });
    gpu.addEventListener("uncapturederror", (event) => {
      event.preventDefault();
      fail(new DeviceValidationError(event.error.message));
    });
  }

  /** Throws the first failure of the device, if there was one: nothing continues after it. */
  check(): void {
    if (this.#failure) throw this.#failure;
  }

  /** A tensor whose values are whatever the buffer held: for kernels that write every element. */
  empty<const S extends Shape, D extends DType = "f32">(shape: S, dtype = "f32" as D, label = "tensor"): Tensor<S, D> {
    const tensor = this.#make(shape, dtype, label, false);
    this.own(tensor);
    return tensor;
  }

  /**
   * As {@link Device.empty}, for what stays, such as a model's weights: it belongs to no scope, so that whoever asks for it
   * disposes of it, and its buffer is no larger than it must be.
   */
  lasting<const S extends Shape, D extends DType>(shape: S, dtype: D, label: string): Tensor<S, D> {
    return this.#make(shape, dtype, label, true);
  }

  /**
   * A tensor with given values, in row-major order. Numbers are rounded to nearest even for f16 and bf16.
   * @throws {ShapeError} when there are more or fewer values than the shape holds.
   */
  tensor<const S extends Shape, D extends DType = "f32">(
    values: ArrayLike<number>,
    shape: S,
    dtype = "f32" as D,
    label = "tensor",
  ): Tensor<S, D> {
    if (values.length !== sizeOf(shape))
      throw new ShapeError(`${label}: ${values.length} values for shape ${show(shape)}, which holds ${sizeOf(shape)}`);
    const tensor = this.empty(shape, dtype, label);
    this.#recorder.write(tensor.storage.buffer, 0, encode(values, dtype));
    return tensor;
  }

  /** Uploads raw bytes in the tensor's own dtype at a byte offset, a multiple of 4; for streaming a checkpoint in. */
  writeBytes(tensor: Tensor, offset: number, bytes: Uint8Array): void {
    this.check();
    if (offset % 4 !== 0 || offset + bytes.length > tensor.bytes)
      throw new ShapeError(`${tensor.label}: ${bytes.length} bytes at ${offset} do not fit its ${tensor.bytes} bytes`);
    // WebGPU writes whole 32-bit words; only a tensor's last half-word can be left over.
    const whole = bytes.length % 4 === 0 ? bytes : new Uint8Array(Math.ceil(bytes.length / 4) * 4);
    if (whole !== bytes) whole.set(bytes);
    this.#recorder.write(tensor.storage.buffer, offset, whole);
  }

  /** Records one run of a kernel. */
  dispatch(call: Dispatch): void {
    this.check();
    const { kernel, params = {}, workgroups } = call;
    const pipeline = this.#pipelines.get(kernel, call.constants ?? {});
    if (workgroups.some((count) => count === 0)) return;
    if (workgroups.some((count) => !(count <= this.capabilities.maxWorkgroupsPerDimension)))
      throw new DeviceValidationError(
        `kernel ${kernel}: ${show(workgroups)} workgroups are more than the adapter allows`,
      );
    const face = pipeline.interface;
    for (const { name } of face.params) {
      if (!Number.isFinite(params[name]))
        throw new DeviceValidationError(`kernel ${kernel}: parameter ${name} is ${params[name]}, not a finite number`);
    }
    const ranges = face.storage.map(({ name }) => this.#range(kernel, name, call.bindings[name]));
    const given = Object.keys(call.bindings).length + Object.keys(params).length;
    if (given !== face.storage.length + face.params.length)
      throw new DeviceValidationError(
        `kernel ${kernel} takes bindings ${face.storage.map((b) => b.name)} and parameters ${face.params.map((p) => p.name)}; ` +
          `it was given ${Object.keys(call.bindings)} and ${Object.keys(params)}`,
      );
    for (const [i, { name, writable }] of face.storage.entries()) {
      const clash = writable && ranges.some((range, j) => j !== i && range.buffer === ranges[i]!.buffer);
      if (clash) throw new DeviceValidationError(`kernel ${kernel}: ${name} is written and also bound a second time`);
    }
    this.#recorder.dispatch(pipeline, ranges, params, workgroups);
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
    const target = to.storage.buffer;
    this.#recorder.copy(from.storage.buffer, fromOffset, target.gpu, toOffset, bytes);
    target.lastUse = this.#recorder.batch;
  }

  /** Reads a tensor's values back; see {@link Tensor.read}. */
  async read<D extends DType>(tensor: Tensor<Shape, D>): Promise<ArrayOf<D>> {
    this.check();
    const { dtype, size, bytes } = tensor;
    if (size === 0) return decode(new ArrayBuffer(0), dtype, 0);
    const staging = this.gpu.createBuffer({
      label: `read of ${tensor.label}`,
      size: bytes,
      usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
    });
    this.#recorder.copy(tensor.storage.buffer, 0, staging, 0, bytes);
    this.#recorder.flush();
    try {
      await this.#wait(staging.mapAsync(GPUMapMode.READ));
    } catch (error) {
      await this.#recorder.settled();
      this.check();
      throw new DeviceValidationError(`reading ${tensor.label} failed: ${error}`);
    }
    await this.#recorder.settled();
    this.check();
    const values = decode(staging.getMappedRange().slice(0), dtype, size);
    staging.destroy();
    return values;
  }

  /** Submits what is recorded without waiting for it. */
  flush(): void {
    this.#recorder.flush();
  }

  /** Resolves when the device has done all that was recorded. */
  async idle(): Promise<void> {
    this.#recorder.flush();
    await this.#wait(this.gpu.queue.onSubmittedWorkDone());
    await this.#recorder.settled();
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

  /** Bytes in use, at peak and pooled, and live tensors by label. */
  memory(): MemoryReport {
    return this.pool.report();
  }

  /**
   * Bytes that the device can still give, with those that wait in the pool: what is left of the `memoryBytes` that it was opened with or,
   * for a software adapter, of this machine's memory. Null where nobody says: WebGPU does not ask a GPU's driver.
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

  /** Returns pooled memory to the system, after what is recorded has been submitted. */
  trim(): void {
    this.#recorder.flush();
    this.#recorder.forgetBindGroups();
    this.pool.trim();
  }

  /** Closes the device. Every later use throws. */
  destroy(): void {
    this.#failure ??= new DeviceLostError("the device was closed with destroy()");
    this.gpu.destroy();
  }

  #fail(error: LetheError): void {
    this.#failure ??= error;
  }

  #wait<T>(work: Promise<T>): Promise<T> {
    return this.capabilities.software ? patiently(work) : work;
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
    // Vector-typed bindings need whole 16-byte elements; the pool's buffers are always at least that much longer.
    const padded = Math.min(Math.ceil(size / 16) * 16, tensor.storage.buffer.bytes - offset);
    return { buffer: tensor.storage.buffer, offset, size: padded };
  }

  #make<S extends Shape, D extends DType>(shape: S, dtype: D, label: string, exact: boolean): Tensor<S, D> {
    this.check();
    checkShape(label, shape);
    const buffer = this.pool.take(byteLength(dtype, sizeOf(shape)), label, exact);
    const tensor = new Tensor(new Storage(this, buffer), shape, dtype, label);
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
        workgroups: this.grid(Math.ceil(size / 256)),
      });
    }
  }
}
