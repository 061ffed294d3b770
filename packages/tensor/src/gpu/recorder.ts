import { DeviceValidationError, LetheError, OutOfMemoryError } from "../errors.ts";
import { BindGroups } from "./bind-groups.ts";
import type { Faults, Start } from "./faults.ts";
import type { Pipeline } from "./pipelines.ts";
import type { BoundRange, PooledBuffer } from "./pool.ts";
import type { Commands } from "./recording.ts";
import { Submissions } from "./submissions.ts";
import type { WebGPUDevice } from "./webgpu-types.ts";

/** Commands that may wait for their turn, each with its parameters: some hundreds of bytes. A step of a large model has ten thousand. */
const mostHeld = 2 ** 19;

/**
 * Records dispatches into one open compute pass and submits them in batches; the device works on some while the host records the next.
 * Parameters are uploaded just before their batch is submitted. The queue is ordered, so no batch overwrites the parameters of another.
 */
export class Recorder {
  readonly #gpu: GPUDevice;
  readonly #faults: Faults;
  readonly #bindGroups: BindGroups;
  readonly submissions: Submissions;
  #encoder: GPUCommandEncoder | null = null;
  #pass: GPUComputePassEncoder | null = null;
  #commandCount = 0;
  #bound: Pipeline | null = null;
  /** The recording that is being made. */
  #commands: Commands | null = null;
  /** Number of the batch being recorded. */
  batch = 0;
  /** Dispatches recorded since the device was opened. */
  totalDispatches = 0;
  /** The kernel of the latest of them. */
  lastKernel: string | null = null;

  constructor(gpu: WebGPUDevice, faults: Faults, start: Start) {
    this.#gpu = gpu;
    this.#faults = faults;
    this.#bindGroups = new BindGroups(gpu);
    const workDone = () => this.#gpu.queue.onSubmittedWorkDone();
    this.submissions = new Submissions(start, workDone, (batch) => this.#bindGroups.batchDone(batch));
  }

  /** @throws {OutOfMemoryError} when more is recorded than the driver can hold, and nothing was waited for */
  dispatch(
    pipeline: Pipeline,
    ranges: readonly BoundRange[],
    params: Readonly<Record<string, number>>,
    workgroups: readonly [number, number, number],
  ): void {
    this.#begin();
    const group = this.#bindGroups.get(pipeline, ranges, params, this.batch);
    for (const { buffer } of ranges) buffer.lastUse = this.batch;
    this.#pass ??= this.#open().beginComputePass({ label: "lethe" });
    if (this.#bound !== pipeline) this.#pass.setPipeline(pipeline.gpu);
    this.#bound = pipeline;
    this.#pass.setBindGroup(0, group);
    this.#pass.dispatchWorkgroups(workgroups[0], workgroups[1], workgroups[2]);
    this.totalDispatches++;
    this.lastKernel = pipeline.kernel;
    if (this.#commands) {
      const own = { ...params };
      this.#note(() => this.dispatch(pipeline, ranges, own, workgroups), ...ranges.map(({ buffer }) => buffer));
    }
  }

  /** Copies bytes between buffers, in order with the dispatches around it. */
  copy(from: PooledBuffer, fromOffset: number, to: PooledBuffer, toOffset: number, bytes: number): void {
    this.#copy(from, fromOffset, to.gpu, toOffset, bytes);
    to.lastUse = this.batch;
    this.#note(() => this.copy(from, fromOffset, to, toOffset, bytes), from, to);
  }

  /** Copies bytes to a buffer that the host reads. */
  readBack(from: PooledBuffer, fromOffset: number, to: GPUBuffer, bytes: number): void {
    this.#copy(from, fromOffset, to, 0, bytes);
  }

  /** Runs work, and keeps the commands that it records. @throws {LetheError} inside another recording */
  record<T>(work: () => T): { readonly result: T; readonly commands: Commands } {
    if (this.#commands) throw new LetheError("record: a recording is being made; one cannot begin inside another");
    const commands: Commands = { runs: [], buffers: new Set() };
    this.#commands = commands;
    try {
      return { result: work(), commands };
    } finally {
      this.#commands = null;
    }
  }

  /** Whether a recording is being made. */
  get recording(): boolean {
    return this.#commands !== null;
  }

  /** Uploads bytes. Work that is already recorded comes first. */
  write(to: PooledBuffer, offset: number, data: ArrayBufferView): void {
    const { buffer, byteOffset, byteLength } = data;
    if (this.#commands) {
      const own = new Uint8Array(buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer);
      this.#note(() => this.write(to, offset, own), to);
    }
    if (to.lastUse === this.batch) this.flush();
    if (to.lastUse <= this.submissions.submitted) {
      this.#gpu.queue.writeBuffer(to.gpu, offset, buffer as ArrayBuffer, byteOffset, byteLength);
      return;
    }
    // The caller may change its array before the batch has its turn.
    const copy = buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer;
    this.submissions.push(() => this.#gpu.queue.writeBuffer(to.gpu, offset, copy));
  }

  /** Ends the batch, which is submitted in its turn. A fault that the device finds in it becomes the device's failure later. */
  flush(): void {
    const encoder = this.#encoder;
    if (!encoder) return;
    this.#endPass();
    const watch = <T>(work: () => T) =>
      this.#faults.watch(["validation", "out-of-memory", "internal"], work, (error) => {
        const Kind = error instanceof GPUOutOfMemoryError ? OutOfMemoryError : DeviceValidationError;
        return new Kind(`the device refused a batch of operations: ${error.message}`);
      });
    const commands = watch(() => encoder.finish());
    const uploads = this.#bindGroups.takeUploads();
    const submit = () => {
      for (const { buffer, offset, bytes } of uploads) this.#gpu.queue.writeBuffer(buffer, offset, bytes);
      this.#gpu.queue.submit([commands]);
    };
    const { batch } = this;
    this.#encoder = null;
    this.batch++;
    this.submissions.push({ batch, commands: this.#commandCount, submit: () => watch(submit) });
    this.#commandCount = 0;
  }

  /** Destroys buffers when the work that uses them has been submitted. No later work may use them. */
  destroy(buffers: readonly PooledBuffer[]): void {
    if (buffers.some(({ lastUse }) => lastUse === this.batch)) this.flush();
    this.#bindGroups.forget(new Set(buffers.map(({ id }) => id)));
    this.submissions.push(() => {
      for (const { gpu } of buffers) gpu.destroy();
    });
  }

  /** Resolves when no batch is held back and the driver does not hold too much for them. */
  async ready(): Promise<void> {
    await this.submissions.underBound();
    await this.relieve();
    // Batches that are in flight keep theirs.
    while (this.#bindGroups.crowded && this.submissions.counts.inFlight > 0) await this.submissions.nextDone();
  }

  /** Drops what is not submitted, and all that comes. */
  drop(): void {
    this.submissions.drop();
    this.#bindGroups.end();
  }

  /** See {@link BindGroups.relieve}. */
  relieve(): Promise<void> {
    return this.#bindGroups.relieve();
  }

  get bindGroups(): BindGroups["counts"] {
    return this.#bindGroups.counts;
  }

  /** Counts a command, and ends the batch before it where that is full. */
  #begin(): void {
    if (this.#commandCount >= this.submissions.batchSize) this.flush();
    if (this.submissions.heldCommands >= mostHeld)
      throw new OutOfMemoryError(
        `${mostHeld} operations are recorded and not begun. Where much is recorded before a result is read, ` +
          "wait for `await device.ready()` now and then.",
      );
    this.#commandCount++;
  }

  #copy(from: PooledBuffer, fromOffset: number, to: GPUBuffer, toOffset: number, bytes: number): void {
    this.#begin();
    this.#endPass();
    this.#open().copyBufferToBuffer(from.gpu, fromOffset, to, toOffset, bytes);
    from.lastUse = this.batch;
  }

  /** Adds a command to the recording that is being made. */
  #note(run: () => void, ...buffers: readonly PooledBuffer[]): void {
    if (!this.#commands) return;
    this.#commands.runs.push(run);
    for (const buffer of buffers) this.#commands.buffers.add(buffer);
  }

  #open(): GPUCommandEncoder {
    this.#encoder ??= this.#gpu.createCommandEncoder({ label: "lethe" });
    return this.#encoder;
  }

  #endPass(): void {
    this.#pass?.end();
    this.#pass = null;
    this.#bound = null;
  }
}
