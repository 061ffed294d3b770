import type { Device, Tensor } from "@lethe/tensor";
import { ModelUseError } from "./errors.ts";

/** Token sequences of one forward pass, B of them in T columns. */
export interface Batch extends Disposable {
  /** `[B, T]`, padding included. */
  readonly ids: Tensor<readonly [number, number], "u32">;
  /** `[B, T]`: 0 at a sequence's first token, and in the padding before it. */
  readonly positions: Tensor<readonly [number, number], "u32">;
  /** `[B]`: column of each sequence's first token, counted from the beginning of the cache where there is one. */
  readonly starts: Tensor<readonly [number], "u32">;
  /** Column of each sequence's first token in this batch. */
  readonly firsts: readonly number[];
  /** Tokens of each sequence, without padding. */
  readonly lengths: readonly number[];
  /** Largest token id. */
  readonly largestId: number;
  /** Positions that a rotary table must hold. */
  readonly span: number;
  /** Columns of a cache that come before this batch's: 0 where sequences begin. */
  readonly behind: number;
  /**
   * Index of a sequence's token among the B·T rows of the pass, for the `rows` of a forward pass. A negative token counts
   * from the sequence's end.
   */
  row(sequence: number, token: number): number;
  dispose(): void;
}

/** How sequences of unequal length are made equal. */
export interface BatchOptions {
  /** Side that is filled up. Default: `left`, which a KV cache and generation need. */
  readonly pad?: "left" | "right";
  /** What it is filled with; it is never attended to. Default: 0. */
  readonly padId?: number;
}

/**
 * Token sequences as one padded batch on the device. Its tensors belong to the innermost open scope, or to the caller, who
 * disposes of the batch.
 * @throws {ModelUseError} when there is no sequence, or one is empty or holds something that is no token id.
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
        throw new ModelUseError(`batchOf: token ${t} of sequence ${b} is ${id}, which is no token id`);
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
    columns,
    largestId,
    span: columns,
    behind: 0,
  });
}

/**
 * The batch that goes on where a cache stands: one new token for each sequence.
 * @param cached column of each sequence's first token in the cache, and the tokens that it has there
 */
export function stepOf(
  device: Device,
  tokens: readonly number[],
  cached: { readonly starts: readonly number[]; readonly lengths: readonly number[] },
): Batch {
  const behind = cached.starts[0]! + cached.lengths[0]!;
  return assemble(device, {
    ids: Uint32Array.from(tokens),
    positions: Uint32Array.from(cached.lengths),
    starts: cached.starts,
    firsts: tokens.map(() => 0),
    lengths: tokens.map(() => 1),
    columns: 1,
    largestId: Math.max(...tokens),
    span: Math.max(...cached.lengths) + 1,
    behind,
  });
}

interface Laid {
  readonly ids: Uint32Array;
  readonly positions: Uint32Array;
  readonly starts: readonly number[];
  readonly firsts: readonly number[];
  readonly lengths: readonly number[];
  readonly columns: number;
  readonly largestId: number;
  readonly span: number;
  readonly behind: number;
}

function assemble(device: Device, laid: Laid): Batch {
  const { firsts, lengths, columns, largestId, span, behind } = laid;
  const count = lengths.length;
  const ids = device.tensor(laid.ids, [count, columns], "u32", "token ids");
  const positions = device.tensor(laid.positions, [count, columns], "u32", "positions");
  const starts = device.tensor(laid.starts, [count], "u32", "starts");
  const dispose = () => {
    for (const tensor of [ids, positions, starts]) tensor.dispose();
  };
  return {
    ids,
    positions,
    starts,
    firsts,
    lengths,
    largestId,
    span,
    behind,
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
