import { type LetheError, OutOfMemoryError } from "../errors.ts";
import type { WebGPUBuffer, WebGPUDevice } from "./webgpu-types.ts";

/** A GPU buffer that the pool owns, handed out to one tensor at a time. */
export interface PooledBuffer {
  readonly id: number;
  readonly gpu: WebGPUBuffer;
  readonly bytes: number;
  /** The submission that last recorded a use of it; an upload must not overtake one that is still to be submitted. */
  lastUse: number;
}

/** Bytes on the device, by who holds them. */
export interface MemoryReport {
  /** Held by live tensors. */
  readonly bytesInUse: number;
  /** Highest `bytesInUse` since the device was opened or since `resetPeak`. */
  readonly peakBytes: number;
  /** Free, waiting in the pool. */
  readonly bytesPooled: number;
  /** Live buffers by the label of the tensor that took them: where a leak shows. */
  readonly live: ReadonlyMap<string, { readonly count: number; readonly bytes: number }>;
}

const usage = 0x80 | 0x08 | 0x04; // STORAGE | COPY_DST | COPY_SRC, spelt out because GPUBufferUsage may not exist yet

/** A whole number of 16-byte vectors, which kernels may bind. */
function exactSize(bytes: number): number {
  return Math.max(16, Math.ceil(bytes / 16) * 16);
}

/** Sizes are rounded up to four steps an octave, so that a freed buffer fits the next tensor of about its size. */
function sizeClass(bytes: number): number {
  if (bytes <= 256) return 256;
  const step = 2 ** (Math.floor(Math.log2(bytes - 1)) - 2);
  return Math.ceil(bytes / step) * step;
}

/**
 * Lends buffers to tensors and takes them back. The queue is ordered, so a freed buffer can be lent again at once. The oldest free
 * buffer goes first, whatever the order in which they came back: work that is done again gets the same buffers again, and with
 * them the bind groups that the recorder keeps.
 */
export class BufferPool {
  readonly #gpu: GPUDevice;
  readonly #maxBytes: number;
  readonly #fail: (error: LetheError) => void;
  /** By size, the oldest last. */
  readonly #free = new Map<number, PooledBuffer[]>();
  readonly #live = new Map<PooledBuffer, string>();
  #nextId = 0;
  #bytesInUse = 0;
  #bytesPooled = 0;
  #peakBytes = 0;

  constructor(gpu: WebGPUDevice, fail: (error: LetheError) => void) {
    this.#gpu = gpu;
    this.#fail = fail;
    this.#maxBytes = gpu.limits.maxBufferSize;
  }

  /**
   * @param exact for what stays: no larger than it must be, rather than of a size that others can use after it
   * @throws {OutOfMemoryError} when one buffer of that size is more than the adapter allows.
   */
  take(bytes: number, label: string, exact = false): PooledBuffer {
    if (bytes > this.#maxBytes)
      throw new OutOfMemoryError(
        `${label} needs one buffer of ${bytes} bytes; this adapter allows at most ${this.#maxBytes}`,
      );
    const size = exact ? exactSize(bytes) : this.sizeOf(bytes);
    const buffer = this.#reuse(size) ?? this.#create(size, label);
    this.#live.set(buffer, label);
    this.#bytesInUse += size;
    this.#peakBytes = Math.max(this.#peakBytes, this.#bytesInUse);
    return buffer;
  }

  /** Bytes of the buffer that a tensor of so many bytes is lent. */
  sizeOf(bytes: number): number {
    return Math.min(sizeClass(bytes), this.#maxBytes);
  }

  give(buffer: PooledBuffer): void {
    this.#live.delete(buffer);
    this.#bytesInUse -= buffer.bytes;
    this.#bytesPooled += buffer.bytes;
    const shelf = this.#free.get(buffer.bytes);
    if (shelf) shelf.splice(shelf.findLastIndex(({ id }) => id > buffer.id) + 1, 0, buffer);
    else this.#free.set(buffer.bytes, [buffer]);
  }

  /** Destroys every free buffer. The caller makes sure that nothing recorded and not yet submitted uses one. */
  trim(): void {
    for (const shelf of this.#free.values()) for (const buffer of shelf) buffer.gpu.destroy();
    this.#free.clear();
    this.#bytesPooled = 0;
  }

  resetPeak(): void {
    this.#peakBytes = this.#bytesInUse;
  }

  report(): MemoryReport {
    const live = new Map<string, { count: number; bytes: number }>();
    for (const [{ bytes }, label] of this.#live) {
      const row = live.get(label);
      if (row) {
        row.count++;
        row.bytes += bytes;
      } else live.set(label, { count: 1, bytes });
    }
    return { bytesInUse: this.#bytesInUse, peakBytes: this.#peakBytes, bytesPooled: this.#bytesPooled, live };
  }

  #reuse(size: number): PooledBuffer | undefined {
    const buffer = this.#free.get(size)?.pop();
    if (buffer) this.#bytesPooled -= size;
    return buffer;
  }

  #create(size: number, label: string): PooledBuffer {
    this.#gpu.pushErrorScope("out-of-memory");
    const gpu = this.#gpu.createBuffer({ label, size, usage });
    this.#gpu.popErrorScope().then(
      (error) => {
        if (!error) return;
        const held = `${this.#bytesInUse} bytes were in use`;
        this.#fail(new OutOfMemoryError(`no memory for ${label} (${size} bytes; ${held}): ${error.message}`));
      },
      () => {}, // The device is lost, which is reported by itself.
    );
    return { id: this.#nextId++, gpu, bytes: size, lastUse: -1 };
  }
}
