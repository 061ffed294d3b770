import type { Span } from "@lethe/hooks";
import type { Device, Tensor } from "@lethe/tensor";
import { ModelUseError } from "../errors.ts";

/** Token sequences of one forward pass, B of them in T columns. */
export interface Batch extends Disposable {
  /** `[B, T]`, padding included. */
  readonly ids: Tensor<readonly [number, number], "u32">;
  /** `[B, T]`: 0 at a sequence's first token, and in the padding. */
  readonly positions: Tensor<readonly [number, number], "u32">;
  /** `[B]`: column of each sequence's first token; with a cache, its column in the cache. */
  readonly starts: Tensor<readonly [number], "u32">;
  /** Column of each sequence's first token in this batch. */
  readonly firsts: readonly number[];
  /** Tokens of each sequence, without padding. */
  readonly lengths: readonly number[];
  /** Columns of each sequence's tokens; with a cache, its columns in the cache and those of this batch. */
  readonly sequences: readonly Span[];
  /** Largest token id. */
  readonly largestId: number;
  /** How many positions a rotary table must hold. */
  readonly span: number;
  /** How many columns of a cache come before this batch: 0 where the sequences begin. */
  readonly cachedColumns: number;
  /**
   * Index of a sequence's token among the B·T rows of a pass, for the option `rows` of `forward`. A negative token counts from the
   * sequence's end: -1 is its last token.
   */
  row(sequence: number, token: number): number;
  dispose(): void;
}

/** How sequences are padded to the same length. */
export interface BatchOptions {
  /** The side of the padding. Default: `left`, which a KV cache's first columns and generation need. */
  readonly pad?: "left" | "right";
  /** The token of the padding; no other token attends to it. Default: 0. */
  readonly padId?: number;
  /**
   * The number of columns for the longest sequence's length, which all are padded to. {@link fewLengths} lets shapes recur, and with them
   * buffers and bind groups. Default: that length.
   */
  readonly padTo?: (length: number) => number;
}

/** The next of a few lengths: a multiple of 8 and, above 128, of a step that leaves eight lengths to each doubling, so that less than an eighth is padding. */
export function fewLengths(length: number): number {
  const step = Math.max(8, 2 ** (Math.ceil(Math.log2(length)) - 4));
  return Math.ceil(length / step) * step;
}

/**
 * Tokens of a batch of short texts, where the caller does not say how many. On software adapters larger batches are no faster, and texts
 * of more different lengths share one, with more padding. A GPU needs more tokens to be busy.
 */
export function usualTokens({ capabilities }: Device): number {
  return capabilities.software ? 1024 : 8192;
}

const sides: readonly unknown[] = ["left", "right"];

/**
 * Puts token sequences on the device as one padded batch. Its tensors belong to the innermost open scope, or to the caller, who
 * then disposes of the batch.
 * @throws {ModelUseError} when there is no sequence, when a sequence is empty, when a token or the padding is not a token id, for
 *   padding on no side, or for fewer columns than tokens
 */
export function batchOf(device: Device, sequences: readonly ArrayLike<number>[], options: BatchOptions = {}): Batch {
  const { pad = "left" } = options;
  if (sequences.length === 0) throw new ModelUseError("batchOf: there is no sequence");
  if (!sides.includes(pad)) throw new ModelUseError(`batchOf: pad is ${pad}, expected left or right`);
  const padded = paddedColumns("batchOf", sequences, options);
  const firsts = sequences.map(({ length }) => (pad === "left" ? padded.columns - length : 0));
  const { ids, positions } = filled("batchOf", sequences, { ...padded, firsts, positions: firsts.map(() => 0) });
  const spans = firsts.map((start, b) => ({ start, end: start + sequences[b]!.length }));
  return assemble(device, { ids, positions, sequences: spans, cachedColumns: 0 });
}

/** Where sequences are in a cache. */
export interface CachedSequences {
  /** The column of each sequence's first token. */
  readonly starts: readonly number[];
  /** How many tokens of each sequence are there. */
  readonly lengths: readonly number[];
}

/**
 * The batch that follows what is in a cache: one new token for each sequence, or several. Where some sequences have fewer than others they
 * are padded on the right, so that all go on in the column after the cache's last. Then no step can follow in this cache;
 * {@link KVCache.take} brings the sequences to another one.
 * @param tokens of each sequence
 * @throws {ModelUseError} when a token is not a token id, when a sequence has no new token, when there are not tokens for each sequence, or
 *   when the sequences do not end at the same column of the cache
 */
export function stepOf(
  device: Device,
  tokens: readonly (number | readonly number[])[],
  { starts, lengths }: CachedSequences,
): Batch {
  const cachedColumns = (starts[0] ?? 0) + (lengths[0] ?? 0);
  const alike = tokens.length === starts.length && lengths.length === starts.length;
  if (tokens.length === 0 || !alike || starts.some((start, b) => start + lengths[b]! !== cachedColumns))
    throw new ModelUseError(
      `stepOf: tokens of ${tokens.length} sequences follow those that begin at columns [${starts}] and have [${lengths}] tokens; ` +
        "expected tokens for each, and sequences that end at one column",
    );
  const fresh = tokens.map((own) => (typeof own === "number" ? [own] : own));
  const padded = paddedColumns("stepOf", fresh, {});
  const sequences = fresh.map((own, b) => ({ start: starts[b]!, end: cachedColumns + own.length }));
  const { ids, positions } = filled("stepOf", fresh, { ...padded, firsts: fresh.map(() => 0), positions: lengths });
  return assemble(device, { ids, positions, sequences, cachedColumns });
}

/** The columns of a batch and the token of its padding, checked. */
function paddedColumns(
  name: string,
  sequences: readonly ArrayLike<number>[],
  { padId = 0, padTo = (length) => length }: BatchOptions,
): { readonly columns: number; readonly padId: number } {
  const lengths = sequences.map(({ length }) => length);
  const empty = lengths.indexOf(0);
  if (empty >= 0) throw new ModelUseError(`${name}: sequence ${empty} has no tokens; a model needs at least one`);
  const longest = Math.max(...lengths);
  const columns = padTo(longest);
  if (!(Number.isInteger(columns) && columns >= longest))
    throw new ModelUseError(`${name}: padTo gives ${columns} for ${longest}, expected a whole number from ${longest}`);
  return { columns, padId: tokenId(padId, `${name}: padId`) };
}

interface Placement {
  readonly columns: number;
  readonly padId: number;
  /** The column of each sequence's first new token, and its position in its sequence. */
  readonly firsts: readonly number[];
  readonly positions: readonly number[];
}

/** Token ids and positions of a batch, `[B, T]`, with 0 as the positions of the padding. */
function filled(name: string, sequences: readonly ArrayLike<number>[], placement: Placement) {
  const { columns, padId, firsts } = placement;
  const ids = new Uint32Array(sequences.length * columns).fill(padId);
  const positions = new Uint32Array(ids.length);
  for (const [b, sequence] of sequences.entries()) {
    for (let t = 0; t < sequence.length; t++) {
      const at = b * columns + firsts[b]! + t;
      ids[at] = tokenId(sequence[t], `${name}: token ${t} of sequence ${b}`);
      positions[at] = placement.positions[b]! + t;
    }
  }
  return { ids, positions };
}

function tokenId(id: number | undefined, what: string): number {
  if (Number.isInteger(id) && id! >= 0 && id! < 2 ** 32) return id!;
  throw new ModelUseError(`${what} is ${id}, expected a token id`);
}

/** A batch whose tensors are still in JavaScript's memory. */
type HostBatch = Pick<Batch, "sequences" | "cachedColumns"> & {
  readonly ids: Uint32Array;
  readonly positions: Uint32Array;
};

function assemble(
  device: Device,
  { ids: hostIds, positions: hostPositions, sequences, cachedColumns }: HostBatch,
): Batch {
  const count = sequences.length;
  const columns = hostIds.length / count;
  const firsts = sequences.map(({ start }) => Math.max(0, start - cachedColumns));
  const lengths = sequences.map(({ end }, b) => end - cachedColumns - firsts[b]!);
  const ids = device.tensor(hostIds, [count, columns], "u32", "token ids");
  const positions = device.tensor(hostPositions, [count, columns], "u32", "positions");
  const hostStarts = sequences.map(({ start }) => start);
  const starts = device.tensor(hostStarts, [count], "u32", "starts");
  const dispose = () => {
    for (const tensor of [ids, positions, starts]) tensor.dispose();
  };
  return {
    ids,
    positions,
    starts,
    firsts,
    lengths,
    sequences,
    largestId: hostIds.reduce((largest, id) => Math.max(largest, id), 0),
    span: Math.max(...sequences.map(({ start, end }) => end - start)),
    cachedColumns,
    row(sequence, token) {
      const length = lengths[sequence];
      const index = token < 0 ? token + (length ?? 0) : token;
      if (length === undefined || !(index >= 0 && index < length))
        throw new ModelUseError(
          `row: token ${token} of sequence ${sequence} is not in this batch of ${count} sequences of ${lengths} tokens`,
        );
      return sequence * columns + firsts[sequence]! + index;
    },
    dispose,
    [Symbol.dispose]: dispose,
  };
}
