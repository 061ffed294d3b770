import { type Random, shuffled } from "@lethe/tensor";
import { atLeast, callable, checked, list, options } from "@lethe/tensor/checked";

/** Batches whose sequences are sorted together: enough that neighbours have similar lengths, few enough that batches stay mixed. */
const batchesPerBucket = 8;

/**
 * All sequences once, in random order, in batches of `batchSize` (one may be smaller). Sequences of similar length share a batch: the
 * sequences are shuffled, sorted by length within buckets of eight batches, and cut into batches, and the batches are shuffled.
 *
 * @throws {ArgumentError} when the batch size is no positive whole number
 * @function
 */
export const batchesOf = checked(
  "batchesOf",
  { sequences: list, options: options({ batchSize: atLeast(1), random: callable }) },
  <S extends ArrayLike<number>>(
    sequences: readonly S[],
    { batchSize, random }: { readonly batchSize: number; readonly random: Random },
  ): S[][] => {
    const batches = chunks(shuffled(sequences, random), batchSize * batchesPerBucket).flatMap((bucket) =>
      chunks(
        bucket.toSorted((a, b) => a.length - b.length),
        batchSize,
      ),
    );
    return shuffled(batches, random);
  },
);

/**
 * A list in consecutive pieces of `size`; the last may be shorter.
 *
 * @throws {ArgumentError} when the size is no positive whole number
 * @function
 */
export const chunks = checked(
  "chunks",
  { items: list, size: atLeast(1) },
  <T>(items: readonly T[], size: number): T[][] =>
    Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size)),
);

/**
 * Cuts a list, in its order, into batches of at most so many tokens, rows × columns, or of one item. Sorted by length, little is padding.
 * @param columnsOf the columns of a batch of these items
 */
export function packed<T>(items: readonly T[], most: number, columnsOf: (batch: readonly T[]) => number): T[][] {
  const batches: T[][] = [];
  for (const item of items) {
    const batch = [...(batches.at(-1) ?? []), item];
    if (batches.length > 0 && batch.length * columnsOf(batch) <= most) batches[batches.length - 1] = batch;
    else batches.push([item]);
  }
  return batches;
}
