import { ReleasedError } from "../errors.ts";
import type { BufferPool, PooledBuffer } from "./pool.ts";

/** Recorded commands in their order, and the buffers that they use. */
export interface Commands {
  readonly runs: (() => void)[];
  readonly buffers: Set<PooledBuffer>;
}

/**
 * Work of a device that can be done again; see `Device.record`. It keeps every buffer that the work uses, also those of tensors that were
 * released since, until it is disposed of.
 */
export class Recording<T> implements Disposable {
  /** What the work returned. Tensors in it have the values of the latest replay. */
  readonly result: T;
  readonly #pool: BufferPool;
  readonly #replayed: () => void;
  readonly #commands: Commands;
  #disposed = false;

  /** @param replayed is called before each replay; it throws where the device has failed */
  constructor(result: T, commands: Commands, pool: BufferPool, replayed: () => void) {
    this.result = result;
    this.#commands = commands;
    this.#pool = pool;
    this.#replayed = replayed;
    for (const buffer of commands.buffers) pool.keep(buffer);
  }

  /** Does the same work on the same buffers, with what they hold now. @throws {ReleasedError} once it is disposed of */
  replay(): void {
    if (this.#disposed) throw new ReleasedError("a recording was replayed after its release");
    this.#replayed();
    for (const run of this.#commands.runs) run();
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    for (const buffer of this.#commands.buffers) this.#pool.letGo(buffer);
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}
