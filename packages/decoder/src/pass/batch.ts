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
}

/**
 * Puts token sequences on the device as one padded batch. Its tensors belong to the innermost open scope, or to the caller, who
 * then disposes of the batch.
 * @throws {ModelUseError} when there is no sequence, when a sequence is empty, or when it holds a value that is not a token id
 */
export function batchOf(device: Device, sequences: readonly ArrayLike<number>[], options: BatchOptions = {}): Batch {
  const { pad = "left", padId = 0 } = options;
  const lengths = sequences.map(({ length }) => length);
  if (lengths.length === 0) throw new ModelUseError("batchOf: there is no sequence");
  const empty = lengths.indexOf(0);
  if (empty >= 0) throw new ModelUseError(`batchOf: sequence ${empty} has no tokens; a model needs at least one`);
  const columns = Math.max(...lengths);
  const firsts = lengths.map((length) => (pad === "left" ? columns - length : 0));
  const ids = new Uint32Array(sequences.length * columns).fill(padId);
  const positions = new Uint32Array(ids.length);
  let largestId = padId;
  for (const [b, sequence] of sequences.entries()) {
    for (let t = 0; t < sequence.length; t++) {
      const id = sequence[t]!;
      if (!Number.isInteger(id) || id < 0)
        throw new ModelUseError(`batchOf: token ${t} of sequence ${b} is ${id}, expected a token id`);
      const at = b * columns + firsts[b]! + t;
      ids[at] = id;
      positions[at] = t;
      largestId = Math.max(largestId, id);
    }
  }
  return assemble(device, {
    ids,
    positions,
    starts: firsts,
    firsts,
    lengths,
    largestId,
    span: columns,
    cachedColumns: 0,
  });
}

/**
 * The batch that follows what is in a cache: one new token for each sequence.
 * @param cached column of each sequence's first token in the cache, and how many tokens the sequence has there
 */
export function stepOf(
  device: Device,
  tokens: readonly number[],
  { starts, lengths }: { readonly starts: readonly number[]; readonly lengths: readonly number[] },
): Batch {
  return assemble(device, {
    ids: Uint32Array.from(tokens),
    positions: Uint32Array.from(lengths),
    starts,
    firsts: tokens.map(() => 0),
    lengths: tokens.map(() => 1),
    largestId: Math.max(...tokens),
    span: Math.max(...lengths) + 1,
    cachedColumns: starts[0]! + lengths[0]!,
  });
}

/** A batch whose tensors are still in JavaScript's memory. */
type HostBatch = Pick<Batch, "firsts" | "lengths" | "largestId" | "span" | "cachedColumns"> & {
  readonly ids: Uint32Array;
  readonly positions: Uint32Array;
  readonly starts: readonly number[];
};

function assemble(
  device: Device,
  { ids: hostIds, positions: hostPositions, starts: hostStarts, ...rest }: HostBatch,
): Batch {
  const { firsts, lengths } = rest;
  const count = lengths.length;
  const columns = hostIds.length / count;
  const ids = device.tensor(hostIds, [count, columns], "u32", "token ids");
  const positions = device.tensor(hostPositions, [count, columns], "u32", "positions");
  const starts = device.tensor(hostStarts, [count], "u32", "starts");
  const dispose = () => {
    for (const tensor of [ids, positions, starts]) tensor.dispose();
  };
  return {
    ...rest,
    ids,
    positions,
    starts,
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
