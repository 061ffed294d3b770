import { checked, numbers } from "@lethe/tensor/checked";
import { jaccard } from "../metrics/jaccard.ts";
import { MetricError } from "../metrics/metric-error.ts";
import { spearman } from "../metrics/rank-correlation.ts";
import { type KeyTokenRule, keyTokenRule, keyTokens } from "./key-tokens.ts";

/** How the contributions of a prompt's words differ between two models. Null stands where a number is not defined. */
export interface Tracked {
  /** Spearman's rank correlation of the contributions. Null where all of one model are equal. */
  readonly spearman: number | null;
  /** Jaccard's index of the two sets of key tokens. Null where neither model has any. */
  readonly jaccard: number | null;
  /**
   * The positive contribution of the first model's key tokens in the second model, over that in the first: 1 where all of it is left, 0 where
   * none is, and above 1 where they count for more. Null where the first model has no key token.
   */
  readonly share: number | null;
}

/**
 * Contribution tracking (unPact, arXiv 2509.24675): the contributions of the words of one prompt in the vanilla and in the unlearned model.
 * What the paper compares them by is not known to us; these three are our choice.
 * @param before contributions in the vanilla model, in nats
 * @param after contributions of the same words in the other model
 * @param rule of the key tokens, for both
 * @throws {MetricError} when the lists differ in length, or a contribution is not finite
 * @function
 */
export const track = checked(
  "track",
  { before: numbers, after: numbers, rule: keyTokenRule },
  (before: ArrayLike<number>, after: ArrayLike<number>, rule: KeyTokenRule = {}): Tracked => {
    if (before.length !== after.length)
      throw new MetricError(
        `track: ${before.length} contributions before and ${after.length} after; both must be of the words of one prompt`,
      );
    const key = keyTokens(before, rule);
    const positive = (contributions: ArrayLike<number>) =>
      key.reduce((sum, word) => sum + Math.max(0, contributions[word]!), 0);
    return {
      spearman: spearman(before, after),
      jaccard: jaccard(key, keyTokens(after, rule)),
      share: key.length > 0 ? positive(after) / positive(before) : null,
    };
  },
);
