import { type Random, shuffled } from "./random.ts";

/** The label of a position that does not count in a loss. */
export const ignoredLabel = -100;

/** Token sequences as one rectangle, row after row. */
export interface TokenBatch {
  /** `[size, length]` token ids, the padding id where a sequence is not. */
  readonly ids: Uint32Array;
  /** `[size, length]`: the token that follows each position in its own sequence, −100 at its last token and on padding. */
  readonly labels: Int32Array;
  /** `[size]`: index of each row's first token; what lies before it is padding. */
  readonly starts: Uint32Array;
  /** `[size]`: tokens in each row. */
  readonly lengths: Uint32Array;
  readonly size: number;
  readonly length: number;
}

export interface PaddingOptions {
  readonly padId: number;
  /** `left` for generation and answer logits, `right` for training. Default: `right`. */
  readonly side?: "left" | "right";
}

/**
 * One batch of the sequences, as long as the longest of them.
 *
 * @throws RangeError if there is no sequence, or an empty one
 */
export function padBatch(sequences: readonly (readonly number[])[], options: PaddingOptions): TokenBatch {
  const empty = sequences.findIndex((sequence) => sequence.length === 0);
  if (sequences.length === 0 || empty >= 0) {
    throw new RangeError(empty >= 0 ? `Sequence ${empty} of the batch has no tokens.` : "A batch needs a sequence.");
  }
  const size = sequences.length;
  const length = Math.max(...sequences.map((sequence) => sequence.length));
  const ids = new Uint32Array(size * length).fill(options.padId);
  const labels = new Int32Array(size * length).fill(ignoredLabel);
  const starts = new Uint32Array(size);
  sequences.forEach((sequence, row) => {
    const start = options.side === "left" ? length - sequence.length : 0;
    starts[row] = start;
    ids.set(sequence, row * length + start);
    labels.set(sequence.slice(1), row * length + start);
  });
  return { ids, labels, starts, lengths: Uint32Array.from(sequences, (sequence) => sequence.length), size, length };
}

export interface BatchingOptions extends PaddingOptions {
  readonly batchSize: number;
  readonly random: Random;
}

/** How many batches' worth of sequences are sorted together: enough to be alike, few enough that batches stay mixed. */
const batchesPerBucket = 8;

/**
 * All sequences once, in random order, in batches of `batchSize` (one may be smaller). Sequences of similar length share
 * a batch: they are shuffled, sorted by length within buckets of eight batches, cut, and the batches shuffled.
 */
export function batchesOf(sequences: readonly (readonly number[])[], options: BatchingOptions): TokenBatch[] {
  const { batchSize, random } = options;
  if (!Number.isInteger(batchSize) || batchSize < 1) {
    throw new RangeError(`The batch size must be a whole number from 1 on, but is ${batchSize}.`);
  }
  const batches = chunks(shuffled(sequences, random), batchSize * batchesPerBucket).flatMap((bucket) =>
    chunks(
      bucket.toSorted((a, b) => a.length - b.length),
      batchSize,
    ),
  );
  return shuffled(batches, random).map((batch) => padBatch(batch, options));
}

function chunks<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size));
}
