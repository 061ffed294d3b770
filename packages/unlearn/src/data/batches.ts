import { type Random, shuffled } from "@lethe/tensor";

/** How many batches' worth of sequences are sorted together: enough that neighbours are alike, few enough that batches stay mixed. */
const batchesPerBucket = 8;

/**
 * All sequences once, in random order, in batches of `batchSize` (the last may be smaller). Sequences of similar length share a batch: they
 * are shuffled, sorted by length within buckets of eight batches, cut, and the batches shuffled.
 *
 * @throws RangeError if the batch size is no positive whole number
 */
export function batchesOf<S extends ArrayLike<number>>(
  sequences: readonly S[],
  { batchSize, random }: { readonly batchSize: number; readonly random: Random },
): S[][] {
  requireSize(batchSize);
  const batches = chunks(shuffled(sequences, random), batchSize * batchesPerBucket).flatMap((bucket) =>
    chunks(
      bucket.toSorted((a, b) => a.length - b.length),
      batchSize,
    ),
  );
  return shuffled(batches, random);
}

/**
 * A list in consecutive pieces of `size`, the last of which may be shorter.
 *
 * @throws RangeError if the size is no positive whole number
 */
export function chunks<T>(items: readonly T[], size: number): T[][] {
  requireSize(size);
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size));
}

function requireSize(size: number): void {
  if (!Number.isInteger(size) || size < 1) {
    throw new RangeError(`The batch size must be a whole number from 1 on, but is ${size}.`);
  }
}
