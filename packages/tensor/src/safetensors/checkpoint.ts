import type { SafetensorsDtype } from "./dtype.ts";
import { isSupportedDtype, SUPPORTED_DTYPES, type SupportedDtype } from "./dtype.ts";
import type { TensorEntry } from "./entry.ts";
import { quote, SafetensorsError } from "./error.ts";
import { type Header, readHeader } from "./header.ts";
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

/** A piece of a tensor's bytes; `offset` counts from the first byte that was asked for. */
export interface Chunk {
  readonly offset: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** The tensors of one file, or of all shards of a checkpoint, as one collection. Bytes are read when they are asked for. */
export class Checkpoint {
  /** A directory, a URL or a file, for errors. */
  readonly name: string;
  readonly #shards: readonly Shard[];
  readonly #tensors = new Map<string, { shard: Shard; entry: TensorEntry }>();

  /** @throws SafetensorsError of kind `duplicate-name` where two shards hold a tensor of the same name. */
  constructor(name: string, shards: readonly Shard[]) {
    this.name = name;
    this.#shards = shards;
    for (const shard of shards) {
      for (const entry of shard.header.tensors.values()) {
        const other = this.#tensors.get(entry.name)?.shard.source.name;
        if (other !== undefined) {
          const problem = `${other} holds it too`;
          const expected = "every tensor in one shard";
          throw new SafetensorsError("duplicate-name", {
            file: shard.source.name,
            tensor: entry.name,
            problem,
            expected,
          });
        }
        this.#tensors.set(entry.name, { shard, entry });
      }
    }
  }

  /** Names in the order of the shards, and within a shard in the order of the file: reading in this order reads forwards. */
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

  /**
   * As `info`, for a tensor that is to go on to a device.
   *
   * @throws SafetensorsError of kind `no-such-tensor`, or `unsupported-dtype` for a type of the format that has no place there.
   */
  supportedInfo(name: string): TensorInfo & { readonly dtype: SupportedDtype } {
    const info = this.info(name);
    const { dtype } = info;
    if (isSupportedDtype(dtype)) return { ...info, dtype };
    const problem = `its dtype ${dtype} is in the format but not supported on the device`;
    const expected = `${SUPPORTED_DTYPES.join(", ")}; convert the checkpoint`;
    throw new SafetensorsError("unsupported-dtype", { file: info.shard, tensor: name, problem, expected });
  }

  /** Every `__metadata__` of every shard, by file name. */
  metadata(): ReadonlyMap<string, ReadonlyMap<string, string>> {
    return new Map(this.#shards.map(({ source, header }) => [source.name, header.metadata]));
  }

  /**
   * All bytes of a tensor: little-endian, in the dtype it has on disk, in an array that starts its buffer.
   *
   * @throws SafetensorsError of kind `no-such-tensor`, `too-large` (read it in chunks), or of the source where reading fails.
   */
  async read(name: string): Promise<Uint8Array<ArrayBuffer>> {
    const { shard, entry } = this.#find(name);
    if (entry.bytes > MAX_READ_BYTES) {
      const problem = `its ${entry.bytes} bytes do not fit one array`;
      const expected = `at most ${MAX_READ_BYTES} bytes, or readChunks()`;
      throw new SafetensorsError("too-large", { file: shard.source.name, tensor: name, problem, expected });
    }
    return shard.source.read(entry.offset, entry.bytes);
  }

  /**
   * A tensor's bytes, or a range of them, from first to last in pieces. Every piece but the last is `chunkBytes` long, so with
   * a multiple of 8 no element is split and every `offset` is one that a GPU buffer can be written at. The next piece is read
   * while the caller is at work on this one: two pieces are in memory at a time. An empty range yields nothing.
   *
   * @param chunkBytes a positive multiple of 8
   * @throws RangeError for another `chunkBytes`, or a range that is not the tensor's; SafetensorsError as `read`.
   */
  async *readChunks(name: string, chunkBytes: number, range?: ByteRange): AsyncGenerator<Chunk, void, undefined> {
    if (!Number.isSafeInteger(chunkBytes) || chunkBytes <= 0 || chunkBytes % 8 !== 0) {
      throw new RangeError(`readChunks: chunkBytes is ${chunkBytes}, expected a positive multiple of 8.`);
    }
    const { shard, entry } = this.#find(name);
    const { begin, end } = range ?? { begin: 0, end: entry.bytes };
    if (!(begin >= 0 && begin <= end && end <= entry.bytes)) {
      throw new RangeError(`readChunks: bytes ${begin} to ${end} of ${name}, which has ${entry.bytes}.`);
    }
    const length = end - begin;
    const readAt = (offset: number): Promise<Uint8Array<ArrayBuffer>> => {
      const pending = shard.source.read(entry.offset + begin + offset, Math.min(chunkBytes, length - offset));
      // A caller may stop before it comes to a piece that fails; whoever awaits the piece still sees the failure.
      pending.catch(() => {});
      return pending;
    };
    if (length === 0) return;
    let pending = readAt(0);
    for (let offset = 0; offset < length; offset += chunkBytes) {
      const bytes = await pending;
      if (offset + chunkBytes < length) pending = readAt(offset + chunkBytes);
      yield { offset, bytes };
    }
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
    throw new SafetensorsError("no-such-tensor", {
      file: this.name,
      tensor: name,
      problem: "it is not there",
      expected,
    });
  }
}

/**
 * Opens one safetensors file. Closing the checkpoint closes the source.
 *
 * @throws SafetensorsError where the format forbids what the header says; the source is closed then.
 */
export async function openSafetensors(source: ByteSource): Promise<Checkpoint> {
  try {
    return new Checkpoint(source.name, [{ source, header: await readHeader(source) }]);
  } catch (error) {
    await source.close?.();
    throw error;
  }
}
