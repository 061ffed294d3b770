import { quote } from "../excerpt.ts";
import type { SafetensorsDtype } from "./dtype.ts";
import type { TensorEntry } from "./entry.ts";
import { SafetensorsError } from "./error.ts";
import { type Header, readHeader } from "./header.ts";
import { readExtents } from "./read-ahead.ts";
import type { ByteSource } from "./source.ts";

/** The largest `ArrayBuffer` that every current browser and Node 20 can make. */
const MAX_READ_BYTES = 2 ** 32 - 8;

export interface TensorInfo {
  readonly dtype: SafetensorsDtype;
  readonly shape: readonly number[];
  readonly bytes: number;
  /** Name of the file that holds it. */
  readonly shard: string;
}

export interface Shard {
  readonly source: ByteSource;
  readonly header: Header;
}

/** Bytes of a tensor, counted from its first: `begin` up to, and without, `end`. */
export interface ByteRange {
  readonly begin: number;
  readonly end: number;
}

/** A tensor that is read, or a range of it. */
export interface WantedRange {
  readonly name: string;
  readonly range?: ByteRange;
}

/** A piece of a tensor's bytes. */
export interface Chunk {
  /** Counts from the first byte that was asked for. */
  readonly offset: number;
  /** They begin at a multiple of 8 of their buffer, so a typed array of any element size can view them. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** The tensors of one file, or of all shards of a checkpoint, as one collection. Bytes are read only when they are asked for. */
export class Checkpoint {
  /** Name of the directory, URL or file, for errors. */
  readonly name: string;
  /** What is odd about it and yet does not matter, each in one line. */
  readonly warnings: readonly string[];
  readonly #shards: readonly Shard[];
  readonly #tensors = new Map<string, { shard: Shard; entry: TensorEntry }>();

  /** @throws SafetensorsError of kind `duplicate-name` where two shards hold a tensor of the same name. */
  constructor(name: string, shards: readonly Shard[], warnings: readonly string[] = []) {
    this.name = name;
    this.warnings = warnings;
    this.#shards = shards;
    for (const shard of shards) {
      const file = shard.source.name;
      for (const entry of shard.header.tensors.values()) {
        const { name: tensor } = entry;
        const other = this.#tensors.get(tensor)?.shard.source.name;
        if (other !== undefined)
          throw new SafetensorsError("duplicate-name", { file, tensor }, `${other} holds it too`, "it in one shard");
        this.#tensors.set(tensor, { shard, entry });
      }
    }
  }

  /** Names in the order of the shards, and within a shard in the order of the file. In this order a file is read from front to back. */
  names(): string[] {
    return [...this.#tensors.keys()];
  }

  has(name: string): boolean {
    return this.#tensors.has(name);
  }

  /** @throws SafetensorsError of kind `no-such-tensor`. */
  info(name: string): TensorInfo {
    const { shard, entry } = this.#find(name);
    return { dtype: entry.dtype, shape: entry.shape, bytes: entry.bytes, shard: shard.source.name };
  }

  /** The `__metadata__` of every shard, by file name. */
  metadata(): ReadonlyMap<string, ReadonlyMap<string, string>> {
    return new Map(this.#shards.map(({ source, header }) => [source.name, header.metadata]));
  }

  /**
   * All bytes of a tensor, little-endian, in the dtype that it has on disk. The array begins at the start of its buffer.
   *
   * @throws SafetensorsError of kind `no-such-tensor` or `too-large` (read it in chunks), or the source's error where reading fails.
   */
  async read(name: string): Promise<Uint8Array<ArrayBuffer>> {
    const { shard, entry } = this.#find(name);
    if (entry.bytes > MAX_READ_BYTES) {
      const problem = `its ${entry.bytes} bytes do not fit one array`;
      const expected = `at most ${MAX_READ_BYTES} bytes, or readChunks()`;
      throw new SafetensorsError("too-large", { file: shard.source.name, tensor: name }, problem, expected);
    }
    return shard.source.read(entry.offset, entry.bytes);
  }

  /**
   * A tensor's bytes, or a range of them, in pieces from first to last. Every piece but the last is `chunkBytes` long. This is a
   * multiple of 8, so no element is split and a GPU buffer can be written at every `offset`. While the caller works on one piece
   * the next are read, see `readRanges`. An empty range yields nothing.
   *
   * @param chunkBytes a positive multiple of 8
   * @throws RangeError for any other `chunkBytes`, or a range outside the tensor; SafetensorsError as `read`.
   */
  async *readChunks(name: string, chunkBytes: number, range?: ByteRange): AsyncGenerator<Chunk, void, undefined> {
    const wanted = [range ? { name, range } : { name }];
    for await (const { offset, bytes } of this.readRanges(wanted, chunkBytes)) yield { offset, bytes };
  }

  /**
   * The bytes of many tensors, or of ranges of them, in the order given. Neighbours in a file are read together, in pieces of at most
   * `pieceBytes`. Four pieces are under way at a time, so that a network's latency passes once and not for each tensor; with the
   * one that the caller works on, five are in memory. Every chunk but the last of a range is a multiple of 8 bytes long.
   *
   * @param wanted in the order of the files, see `names`, for the fewest reads
   * @param pieceBytes a positive multiple of 8
   * @throws RangeError for any other `pieceBytes`, or a range outside its tensor; SafetensorsError as `read`.
   */
  async *readRanges(
    wanted: readonly WantedRange[],
    pieceBytes: number,
  ): AsyncGenerator<Chunk & { readonly index: number }, void, undefined> {
    if (!Number.isSafeInteger(pieceBytes) || pieceBytes <= 0 || pieceBytes % 8 !== 0) {
      throw new RangeError(`Pieces of ${pieceBytes} bytes, expected a positive multiple of 8.`);
    }
    const extents = wanted.map(({ name, range }) => {
      const { shard, entry } = this.#find(name);
      const { begin, end } = range ?? { begin: 0, end: entry.bytes };
      if (!(begin >= 0 && begin <= end && end <= entry.bytes)) {
        throw new RangeError(`Bytes ${begin} to ${end} of ${name}, which has ${entry.bytes}.`);
      }
      return { source: shard.source, begin: entry.offset + begin, end: entry.offset + end };
    });
    yield* readExtents(extents, pieceBytes);
  }

  /** Closes every shard's file. */
  async close(): Promise<void> {
    await Promise.all(this.#shards.map(({ source }) => source.close?.()));
  }

  #find(name: string): { shard: Shard; entry: TensorEntry } {
    const found = this.#tensors.get(name);
    if (found !== undefined) return found;
    const some = this.names().slice(0, 3).map(quote).join(", ");
    const expected = `one of its ${this.#tensors.size} tensors${some && ` (${some}, …)`}`;
    throw new SafetensorsError("no-such-tensor", { file: this.name, tensor: name }, "it does not exist", expected);
  }
}

/**
 * Opens one safetensors file. Closing the checkpoint closes the source.
 *
 * @throws SafetensorsError where the header breaks the format. The source is closed then.
 */
export async function openSafetensors(source: ByteSource): Promise<Checkpoint> {
  try {
    return new Checkpoint(source.name, [{ source, header: await readHeader(source) }]);
  } catch (error) {
    await source.close?.();
    throw error;
  }
}
