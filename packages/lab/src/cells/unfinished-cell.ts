import { tensorToWrite } from "@lethe/decoder";
import { type Checkpoint, LetheError, type Tensor, type TensorToWrite } from "@lethe/tensor";
import type { TensorData } from "@lethe/tensor/node";
import { z } from "zod";
import { sha256 } from "#sha256";
import { hex, type Sha256 } from "../host/sha256.ts";
import type { Watcher } from "../subjects/subject.ts";
import type { Kept, Unfinished } from "../subjects/unfinished.ts";
import type { UnfinishedStore } from "./store.ts";

/** The format of the file. Raised whenever a file of the old format could be misread. */
const VERSION = "1";

/**
 * Decides when unfinished work is kept.
 * @param since milliseconds of work since it was last kept, or since it began
 * @param took milliseconds that keeping it took the last time, 0 before the first
 */
export type KeepPolicy = (since: number, took: number) => boolean;

/** After a minute's work, and in all for at most about a tenth of the time. So what takes less than a minute writes nothing. */
export const keepEveryMinute: KeepPolicy = (since, took) => since >= Math.max(60_000, 10 * took);

/** The last tensor of the file: a SHA-256 of the notes and of all bytes before it. */
const DIGEST = "sha256";

/** Bytes of a piece on its way from the file to the device, and bytes that may be uploaded before a wait for the device. */
const PIECE_BYTES = 8 * 2 ** 20;
const UNSETTLED_BYTES = 64 * 2 ** 20;

export interface UnfinishedCellParts {
  readonly store: UnfinishedStore;
  readonly id: string;
  /** The name of this run's adapter. Only the adapter that began a training goes on with the same bits. */
  readonly adapter: string;
  readonly policy: KeepPolicy;
  readonly watcher: Watcher;
}

/** Keeps a cell's unfinished work in a store: one safetensors file, whose metadata say what it belongs to. */
export class UnfinishedCell implements Unfinished {
  readonly #parts: UnfinishedCellParts;
  readonly #remarks = new Set<string>();
  #since = performance.now();
  #took = 0;
  #open: Checkpoint | undefined;

  constructor(parts: UnfinishedCellParts) {
    this.#parts = parts;
  }

  async load<T>(schema: z.ZodType<T>): Promise<Kept<T> | undefined> {
    const { store, id } = this.#parts;
    const anew = (why: string) => this.#remark(`${store.where(id)} ${why}; the cell starts anew`);
    try {
      this.#open = await store.open(id);
      const checkpoint = this.#open;
      if (!checkpoint) return undefined;
      const { version, cell, adapter, notes } = Object.fromEntries([...checkpoint.metadata().values()][0]!);
      if (version !== VERSION) return anew(`has format version ${version ?? "unknown"}; this Lethe reads ${VERSION}`);
      if (cell !== id) return anew(`is of ${cell}`);
      if (adapter !== this.#parts.adapter)
        return anew(`was kept on ${adapter}, and another adapter's last bits differ`);
      if ((await digestOf(checkpoint, notes!)) !== (await storedDigest(checkpoint)))
        return anew("is damaged: its bytes are not those that were written");
      const read = schema.safeParse(JSON.parse(notes!));
      if (!read.success) return anew(`is of another Lethe: ${z.prettifyError(read.error).split("\n")[0]}`);
      return { notes: read.data, restore: (tensors) => restore(checkpoint, tensors) };
    } catch (error) {
      return anew(`cannot be used (${(error as Error).message})`);
    } finally {
      this.#since = performance.now();
    }
  }

  async rehearse(tensors: ReadonlyMap<string, Tensor>): Promise<number> {
    const { store, id, watcher } = this.#parts;
    const all = [...tensors.values()].reduce((sum, { bytes }) => sum + bytes, 0);
    const [name, largest] = [...tensors].reduce((most, one) => (one[1].bytes > most[1].bytes ? one : most));
    const trial = `${id}-trial`;
    const begun = performance.now();
    try {
      await store.write(trial, withDigest(new Map([[name, largest]]), "", watcher.signal), {});
      return ((performance.now() - begun) / 1000) * (all / largest.bytes);
    } catch {
      watcher.signal.throwIfAborted();
      return 0; // Where nothing can be written, `save` says why.
    } finally {
      await store.remove(trial);
    }
  }

  due(): boolean {
    return this.#parts.policy(performance.now() - this.#since, this.#took);
  }

  async save(notes: unknown, tensors: ReadonlyMap<string, Tensor>): Promise<void> {
    const { store, id, adapter, watcher } = this.#parts;
    const begun = performance.now();
    try {
      const text = JSON.stringify(notes);
      const metadata = { version: VERSION, cell: id, adapter, notes: text };
      await store.write(id, withDigest(tensors, text, watcher.signal), metadata);
    } catch (error) {
      watcher.signal.throwIfAborted();
      this.#remark(`${store.where(id)} cannot be written (${(error as Error).message}); the cell goes on without it`);
    }
    this.#since = performance.now();
    this.#took = this.#since - begun;
  }

  /** Closes the file from which the work went on. */
  async close(): Promise<void> {
    await this.#open?.close();
  }

  /** Shows a line, once. */
  #remark(line: string): undefined {
    if (!this.#remarks.has(line)) this.#parts.watcher.remark(line);
    this.#remarks.add(line);
  }
}

/** Tensors for the file, and their digest, which the file's order puts last. Each is read from the device when its turn comes. */
function* withDigest(
  tensors: ReadonlyMap<string, Tensor>,
  notes: string,
  signal: AbortSignal,
): Generator<TensorToWrite<TensorData>> {
  const hash = begunWith(notes);
  for (const [name, tensor] of tensors) {
    const { data, ...entry } = tensorToWrite(name, tensor);
    const hashed = async function* () {
      hash.update(name);
      for await (const piece of data()) {
        signal.throwIfAborted();
        hash.update(piece);
        yield piece;
      }
    };
    yield { ...entry, data: hashed };
  }
  yield { name: DIGEST, dtype: "U8", shape: [32], data: () => [hash.digest()] };
}

async function digestOf(checkpoint: Checkpoint, notes: string): Promise<string> {
  const hash = begunWith(notes);
  for (const name of checkpoint.names()) {
    if (name === DIGEST) continue;
    hash.update(name);
    for await (const { bytes } of checkpoint.readChunks(name, PIECE_BYTES)) hash.update(bytes);
  }
  return hex(hash.digest());
}

async function storedDigest(checkpoint: Checkpoint): Promise<string> {
  return hex(await checkpoint.read(DIGEST));
}

function begunWith(notes: string): Sha256 {
  return sha256().update(`${notes}\0`);
}

async function restore(checkpoint: Checkpoint, tensors: ReadonlyMap<string, Tensor>): Promise<void> {
  const names = checkpoint.names().filter((name) => name !== DIGEST);
  const missing = [...tensors.keys()].find((name) => !checkpoint.has(name));
  if (missing !== undefined)
    throw new LetheError(`${checkpoint.name} does not hold ${missing}. Delete it to start anew.`);
  let unsettled = 0;
  for (const name of names) {
    const tensor = tensors.get(name);
    const { shape, dtype } = checkpoint.info(name);
    if (!tensor || `${tensor.shape}` !== `${shape}` || tensor.dtype.toUpperCase() !== dtype)
      throw new LetheError(
        `${checkpoint.name} holds ${name} [${shape}], which is not trained. Delete it to start anew.`,
      );
    for await (const { offset, bytes } of checkpoint.readChunks(name, PIECE_BYTES)) {
      tensor.device.writeBytes(tensor, offset, bytes);
      unsettled += bytes.length;
      if (unsettled < UNSETTLED_BYTES) continue;
      await tensor.device.idle(); // WebGPU keeps a copy of each piece until the device has it.
      unsettled = 0;
    }
  }
}
