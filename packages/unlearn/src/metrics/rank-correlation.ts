import { checked, numbers } from "@lethe/tensor/checked";
import { sampleRankCorrelation } from "simple-statistics";
import { MetricError } from "./metric-error.ts";

/**
 * Spearman's rank correlation of two lists: Pearson's correlation of their ranks, where equal values share the mean of their ranks. It is
 * 1 where both lists have the same order, and −1 where one has the order of the other reversed.
 * @returns null where it is not defined: for lists of fewer than two values, and where all values of a list are equal
 * @throws {MetricError} when the lists differ in length, or when a value is not finite
 * @function
 */
export const spearman = checked(
  "spearman",
  { a: numbers, b: numbers },
  (a: ArrayLike<number>, b: ArrayLike<number>): number | null => {
    if (a.length !== b.length)
      throw new MetricError(`spearman compares lists of one length; these have ${a.length} and ${b.length} values`);
    const lists = [Array.from(a), Array.from(b)] as const;
    for (const values of lists) {
      const broken = values.findIndex((value) => !Number.isFinite(value));
      if (broken >= 0) throw new MetricError(`spearman: value ${broken} is ${values[broken]}, which has no rank`);
    }
    if (lists.some((values) => values.every((value) => value === values[0]))) return null;
    // Rounding carries the quotient of the sums a last bit above 1.
    return Math.max(-1, Math.min(1, sampleRankCorrelation(...lists)));
  },
);
