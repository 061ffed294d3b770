import { LetheError } from "@lethe/tensor";
import { anyObject, checked } from "@lethe/tensor/checked";
import { spearman } from "../metrics/rank-correlation.ts";

/** Spearman's rank correlation of each two attributions, by their names; null where it is not defined. */
export type RankAgreement<N extends string> = Readonly<Record<N, Readonly<Record<N, number | null>>>>;

/**
 * How far several attributions of one question agree on the order of its words.
 * @param attributions a score for each word of the question, by the attribution's name
 * @throws {LetheError} when two attributions have scores for different numbers of words
 * @throws {MetricError} when a score is not finite
 * @function
 */
export const rankAgreement = checked(
  "rankAgreement",
  { attributions: anyObject },
  <N extends string>(attributions: Readonly<Record<N, readonly number[]>>): RankAgreement<N> => {
    const all = Object.entries(attributions) as [N, readonly number[]][];
    const [first] = all;
    for (const [name, { length }] of all)
      if (length !== first![1].length)
        throw new LetheError(
          `rankAgreement: ${first![0]} has scores for ${first![1].length} words and ${name} for ${length}; compare attributions of one question`,
        );
    const record = <T>(of: (scores: readonly number[]) => T) =>
      Object.fromEntries(all.map(([name, scores]) => [name, of(scores)])) as Record<N, T>;
    return record((one) => record((other) => spearman(one, other)));
  },
);
