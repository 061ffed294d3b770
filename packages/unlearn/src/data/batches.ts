import { type Random, shuffled } from "@lethe/tensor";

/** Batches whose sequences are sorted together: enough that neighbours have similar lengths, few enough that batches stay mixed. */
const batchesPerBucket = 8;

/**
 * All sequences once, in random order, in batches of `batchSize` (one may be smaller). Sequences of similar length share a batch: the
 * sequences are shuffled, sorted by length within buckets of eight batches, and cut into batches, and the batches are shuffled.
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
 * A list in consecutive pieces of `size`; the last may be shorter.
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
