import { OutOfMemoryError } from "../errors.ts";
import type { Faults } from "./faults.ts";
import { bufferUsage } from "./flags.ts";
import type { WebGPUBuffer, WebGPUDevice } from "./webgpu-types.ts";

/** A GPU buffer that the pool owns, handed out to one tensor at a time. */
export interface PooledBuffer {
  readonly id: number;
  readonly gpu: WebGPUBuffer;
  readonly bytes: number;
  /** Number of the batch that last used it. An upload must not overtake a batch that is still to be submitted. */
  lastUse: number;
  /** The pool's time when it came back. */
  freedAt: number;
}

/** One storage binding of a recorded dispatch. */
export interface BoundRange {
  readonly buffer: PooledBuffer;
  /** Bytes from the start of the buffer; a multiple of the adapter's binding alignment. */
  readonly offset: number;
  readonly size: number;
}

/** Bytes on the device, by their holders. */
export interface PoolReport {
  /** Held by live tensors. */
  readonly bytesInUse: number;
  /** Highest `bytesInUse` since the device was opened or since `resetPeak`. */
  readonly peakBytes: number;
  /** Free, waiting in the pool. */
  readonly bytesPooled: number;
  /** Buffers of live tensors, and free ones. */
  readonly buffers: { readonly inUse: number; readonly pooled: number };
  /** Live buffers by the label of the tensor that took them. A leak shows here. */
  readonly live: ReadonlyMap<string, { readonly count: number; readonly bytes: number }>;
}

const none: PooledBuffer[] = [];
const usage = bufferUsage.STORAGE | bufferUsage.COPY_DST | bufferUsage.COPY_SRC;

/** A whole number of 16-byte vectors, which kernels may bind. */
function exactSize(bytes: number): number {
  return Math.max(16, Math.ceil(bytes / 16) * 16);
}

/** From here on a buffer is large: there are few sizes of them, and rounding up costs much. */
const large = 2 ** 20;

/**
 * Rounds up to one of four sizes between two powers of two, so that a freed buffer fits the next tensor of about its size; to one of sixteen
 * where buffers are large.
 */
function sizeClass(bytes: number): number {
  if (bytes <= 256) return 256;
  const step = 2 ** (Math.floor(Math.log2(bytes - 1)) - (bytes > large ? 4 : 2));
  return Math.ceil(bytes / step) * step;
}

// Free buffers of shapes that come no more would be kept for ever. So the pool may hold half as much again as was lately in use, and what
// is above that and was not used for a while is given up. Time is counted in kernel runs, so the same work keeps the same buffers.

/** The highest use of this long, and of as long before, counts. A training step of 30 layers takes about 10,000 runs. */
const lately = 65_536;
/** Between two looks. */
const lookEvery = 1024;
/** A buffer that was free for less is kept: work that is repeated needs it again soon. */
const soon = 2048;
/** Bytes that may always be free: to look after so few is not worth it. */
const always = 2 ** 24;

/**
 * Lends buffers to tensors and takes them back. The queue is ordered, so a freed buffer can be lent again at once. The oldest free
 * buffer is lent first, in whatever order buffers came back: so work that is repeated gets the same buffers again, and the recorder
 * can use its bind groups again.
 */
export class BufferPool {
  readonly #gpu: GPUDevice;
  readonly #maxBytes: number;
  readonly #faults: Faults;
  /** Free buffers by size, the oldest last. */
  readonly #free = new Map<number, PooledBuffer[]>();
  readonly #live = new Map<PooledBuffer, string>();
  /** Buffers of recordings: how many keep one, and whether a tensor has it, too. */
  readonly #kept = new Map<PooledBuffer, { count: number; lent: boolean }>();
  #nextId = 0;
  #now = 0;
  #nextLook = lookEvery;
  /** The highest use in the present stretch of time, and in the one before. */
  #highest = { present: 0, before: 0, until: lately };
  #bytesInUse = 0;
  #bytesPooled = 0;
  #peakBytes = 0;

  constructor(gpu: WebGPUDevice, faults: Faults) {
    this.#gpu = gpu;
    this.#faults = faults;
    this.#maxBytes = gpu.limits.maxBufferSize;
  }

  /**
   * @param exact makes the buffer as small as possible, for tensors that live long, instead of a size that later tensors share
   * @throws {OutOfMemoryError} when one buffer of that size is more than the adapter allows.
   */
  take(bytes: number, label: string, exact = false): PooledBuffer {
    if (bytes > this.#maxBytes)
      throw new OutOfMemoryError(
        `${label} needs one buffer of ${bytes} bytes; this adapter allows at most ${this.#maxBytes}`,
      );
    const size = this.sizeOf(bytes, exact);
    const buffer = this.#reuse(size) ?? this.#create(size, label);
    this.#live.set(buffer, label);
    this.#bytesInUse += size;
    this.#peakBytes = Math.max(this.#peakBytes, this.#bytesInUse);
    this.#highest.present = Math.max(this.#highest.present, this.#bytesInUse);
    return buffer;
  }

  /** Size of the buffer that is lent to a tensor of `bytes` bytes, as {@link BufferPool.take} does. */
  sizeOf(bytes: number, exact = false): number {
    return exact ? exactSize(bytes) : Math.min(sizeClass(bytes), this.#maxBytes);
  }

  give(buffer: PooledBuffer): void {
    const kept = this.#kept.get(buffer);
    if (kept) {
      kept.lent = false;
      this.#live.set(buffer, "recording");
      return;
    }
    buffer.freedAt = this.#now;
    this.#live.delete(buffer);
    this.#bytesInUse -= buffer.bytes;
    this.#bytesPooled += buffer.bytes;
    const shelf = this.#free.get(buffer.bytes);
    if (shelf) shelf.splice(placeOf(shelf, buffer), 0, buffer);
    else this.#free.set(buffer.bytes, [buffer]);
  }

  /** Sees to it that a buffer is lent to no other tensor, until {@link letGo}. It may be free now. */
  keep(buffer: PooledBuffer): void {
    const kept = this.#kept.get(buffer) ?? { count: 0, lent: this.#live.has(buffer) };
    if (kept.count === 0 && !kept.lent) {
      const shelf = this.#free.get(buffer.bytes)!;
      shelf.splice(shelf.indexOf(buffer), 1);
      this.#bytesPooled -= buffer.bytes;
      this.#bytesInUse += buffer.bytes;
      this.#live.set(buffer, "recording");
    }
    kept.count++;
    this.#kept.set(buffer, kept);
  }

  /** Undoes one {@link keep}. */
  letGo(buffer: PooledBuffer): void {
    const kept = this.#kept.get(buffer)!;
    if (--kept.count > 0) return;
    this.#kept.delete(buffer);
    if (!kept.lent) this.give(buffer);
  }

  /** Gives up every free buffer. The caller destroys them when the work that uses them has been submitted. */
  giveUp(): PooledBuffer[] {
    const free = [...this.#free.values()].flat();
    this.#free.clear();
    this.#bytesPooled = 0;
    return free;
  }

  /**
   * Tells the pool the time, and gives the buffers that it gives up, as {@link giveUp} does.
   * @param now kernel runs since the device was opened
   */
  outdated(now: number): PooledBuffer[] {
    this.#now = now;
    if (now < this.#nextLook) return none;
    this.#nextLook = now + lookEvery;
    const { present, before, until } = this.#highest;
    if (now >= until) this.#highest = { present: this.#bytesInUse, before: present, until: now + lately };
    let excess =
      this.#bytesInUse + this.#bytesPooled - Math.max(1.5 * Math.max(present, before), this.#bytesInUse + always);
    if (excess <= 0) return none;
    const old = [...this.#free.values()].flat().filter(({ freedAt }) => now - freedAt > soon);
    const gone = new Set<PooledBuffer>();
    for (const buffer of old.sort((a, b) => a.freedAt - b.freedAt)) {
      if (excess <= 0) break;
      excess -= buffer.bytes;
      this.#bytesPooled -= buffer.bytes;
      gone.add(buffer);
    }
    for (const [size, shelf] of this.#free) {
      const left = shelf.filter((buffer) => !gone.has(buffer));
      if (left.length === 0) this.#free.delete(size);
      else if (left.length < shelf.length) this.#free.set(size, left);
    }
    return [...gone];
  }

  /** Bytes held by live tensors: `report().bytesInUse`, at no cost. */
  get bytesInUse(): number {
    return this.#bytesInUse;
  }

  resetPeak(): void {
    this.#peakBytes = this.#bytesInUse;
  }

  report(): PoolReport {
    const live = new Map<string, { count: number; bytes: number }>();
    for (const [{ bytes }, label] of this.#live) {
      const row = live.get(label) ?? { count: 0, bytes: 0 };
      live.set(label, { count: row.count + 1, bytes: row.bytes + bytes });
    }
    const pooled = [...this.#free.values()].reduce((count, shelf) => count + shelf.length, 0);
    const buffers = { inUse: this.#live.size, pooled };
    return { bytesInUse: this.#bytesInUse, peakBytes: this.#peakBytes, bytesPooled: this.#bytesPooled, buffers, live };
  }

  #reuse(size: number): PooledBuffer | undefined {
    const buffer = this.#free.get(size)?.pop();
    if (buffer) this.#bytesPooled -= size;
    return buffer;
  }

  #create(size: number, label: string): PooledBuffer {
    const gpu = this.#faults.watch(
      ["out-of-memory"],
      () => this.#gpu.createBuffer({ label, size, usage }),
      ({ message }) =>
        new OutOfMemoryError(
          `no memory for ${label} (${size} bytes; ${this.#bytesInUse} bytes were in use): ${message}`,
        ),
    );
    return { id: this.#nextId++, gpu, bytes: size, lastUse: -1, freedAt: 0 };
  }
}

/** Where a buffer belongs among others, the oldest last. */
function placeOf(shelf: readonly PooledBuffer[], { id }: PooledBuffer): number {
  let [from, to] = [0, shelf.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if (shelf[middle]!.id > id) from = middle + 1;
    else to = middle;
  }
  return from;
}

/**
 * The place of a tensor's numbers: a buffer, or a part of one. A tensor shares it with its reshaped views, and it says which tensors are
 * one value. A buffer returns to the pool when the last tensor in it is released.
 */
export class Storage {
  readonly buffer: PooledBuffer;
  /** Bytes from the start of the buffer; a multiple of the adapter's binding alignment. */
  readonly offset: number;
  readonly #pool: BufferPool;
  /** The storage of the whole buffer, which a part holds. */
  readonly #whole: Storage | null;
  #holders = 1;

  constructor(pool: BufferPool, buffer: PooledBuffer, offset = 0, whole: Storage | null = null) {
    this.#pool = pool;
    this.buffer = buffer;
    this.offset = offset;
    this.#whole = whole;
  }

  /** The buffer from this byte on, as a value of its own. */
  part(offset: number): Storage {
    return new Storage(this.#pool, this.buffer, offset, (this.#whole ?? this).hold());
  }

  hold(): this {
    this.#holders++;
    return this;
  }

  release(): void {
    if (--this.#holders > 0) return;
    if (this.#whole) this.#whole.release();
    else this.#pool.give(this.buffer);
  }
}
