import type { Span } from "@lethe/hooks";
import type { Device, Tensor } from "@lethe/tensor";
import { ModelUseError } from "../errors.ts";

/** Token sequences of one forward pass, B of them in T columns. */
export interface Batch extends Disposable {
  /** `[B, T]`, padding included. */
  readonly ids: Tensor<readonly [number, number], "u32">;
  /** `[B, T]`: 0 at a sequence's first token, and in the padding before it. */
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
  /** The side of the padding. Default: `left`, which a KV cache and generation need. */
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

const sides: readonly unknown[] = ["left", "right"];

/**
 * Puts token sequences on the device as one padded batch. Its tensors belong to the innermost open scope, or to the caller, who
 * then disposes of the batch.
 * @throws {ModelUseError} when there is no sequence, when a sequence is empty, when a token or the padding is not a token id, for
 *   padding on no side, or for fewer columns than tokens
 */
export function batchOf(device: Device, sequences: readonly ArrayLike<number>[], options: BatchOptions = {}): Batch {
  const { pad = "left", padId = 0, padTo = (length) => length } = options;
  const lengths = sequences.map(({ length }) => length);
  if (lengths.length === 0) throw new ModelUseError("batchOf: there is no sequence");
  const empty = lengths.indexOf(0);
  if (empty >= 0) throw new ModelUseError(`batchOf: sequence ${empty} has no tokens; a model needs at least one`);
  if (!sides.includes(pad)) throw new ModelUseError(`batchOf: pad is ${pad}, expected left or right`);
  const longest = Math.max(...lengths);
  const columns = padTo(longest);
  if (!(Number.isInteger(columns) && columns >= longest))
    throw new ModelUseError(`batchOf: padTo gives ${columns} for ${longest}, expected a whole number from ${longest}`);
  const ids = new Uint32Array(sequences.length * columns).fill(tokenId(padId, "batchOf: padId"));
  const positions = new Uint32Array(ids.length);
  const spans = lengths.map((length) => {
    const start = pad === "left" ? columns - length : 0;
    return { start, end: start + length };
  });
  for (const [b, sequence] of sequences.entries()) {
    for (let t = 0; t < sequence.length; t++) {
      const at = b * columns + spans[b]!.start + t;
      ids[at] = tokenId(sequence[t], `batchOf: token ${t} of sequence ${b}`);
      positions[at] = t;
    }
  }
  return assemble(device, { ids, positions, sequences: spans, cachedColumns: 0 });
}

/**
 * The batch that follows what is in a cache: one new token for each sequence.
 * @param cached column of each sequence's first token in the cache, and how many tokens the sequence has there
 * @throws {ModelUseError} when a token is not a token id, when there is not one for each sequence, or when the sequences do not end at
 *   the same column of the cache
 */
export function stepOf(
  device: Device,
  tokens: readonly number[],
  { starts, lengths }: { readonly starts: readonly number[]; readonly lengths: readonly number[] },
): Batch {
  const ids = Uint32Array.from(tokens, (token, b) => tokenId(token, `stepOf: the token of sequence ${b}`));
  const sequences = starts.map((start, b) => ({ start, end: start + lengths[b]! + 1 }));
  const end = sequences[0]?.end;
  const alike = tokens.length === starts.length && lengths.length === starts.length;
  if (!end || !alike || sequences.some((sequence) => sequence.end !== end))
    throw new ModelUseError(
      `stepOf: ${tokens.length} tokens follow sequences that begin at columns [${starts}] and have [${lengths}] tokens; ` +
        "expected one token for each, and sequences that end at one column",
    );
  return assemble(device, { ids, positions: Uint32Array.from(lengths), sequences, cachedColumns: end - 1 });
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
