import { atLeast, checked, flag, listOf, options } from "@lethe/tensor/checked";
import { MetricError } from "../metrics/metric-error.ts";

/** A share of cases, with its 95 % confidence interval. */
export interface Rate {
  /** `count` over `of`; null where there is no case. */
  readonly rate: number | null;
  readonly count: number;
  /** All cases. */
  readonly of: number;
  /** The interval's ends. Without a case nothing is known: 0 and 1. */
  readonly low: number;
  readonly high: number;
}

/** The normal distribution's quantile of 97.5 %. */
const Z = 1.959964;

/**
 * A share with Wilson's score interval (1927) of 95 %. Unlike the interval of the normal approximation it stays within 0 and 1, and has a
 * width where the share is 0 or 1.
 * @throws {MetricError} when more are counted than there are
 * @function
 */
export const rateOf = checked("rateOf", { count: atLeast(0), of: atLeast(0) }, (count: number, of: number): Rate => {
  if (count > of) throw new MetricError(`rateOf: ${count} of ${of} cases; expected no more than all`);
  if (of === 0) return { rate: null, count, of, low: 0, high: 1 };
  const rate = count / of;
  const scale = 1 + Z ** 2 / of;
  const centre = (rate + Z ** 2 / (2 * of)) / scale;
  const half = (Z / scale) * Math.sqrt((rate * (1 - rate)) / of + Z ** 2 / (4 * of ** 2));
  // At the ends of the range the formula gives the end itself, but for rounding.
  return { rate, count, of, low: count === 0 ? 0 : centre - half, high: count === of ? 1 : centre + half };
});

/** Whether the answers to the same questions, in the same order, are right. */
export interface Verdicts {
  /** The vanilla model's. */
  readonly before: readonly boolean[];
  /** The unlearned model's. */
  readonly after: readonly boolean[];
}

const verdicts = { before: listOf(flag), after: listOf(flag) };

/**
 * The recovery rate (unPact, arXiv 2509.24675): of the target questions that were answered right before unlearning and wrong after it, the share
 * that is answered right under emphasis. The paper does not define it in a formula that we know; this reading is ours.
 * @param verdicts with those of the unlearned model under emphasis as `elicited`
 * @throws {MetricError} when the lists differ in length
 * @function
 */
export const recoveryRate = checked(
  "recoveryRate",
  { verdicts: options({ ...verdicts, elicited: listOf(flag) }) },
  ({ before, after, elicited }: Verdicts & { readonly elicited: readonly boolean[] }): Rate => {
    requireSameLength("recoveryRate", { before, after, elicited });
    const lost = before.map((right, question) => right && !after[question]);
    return rateOf(elicited.filter((right, question) => right && lost[question]).length, lost.filter(Boolean).length);
  },
);

/**
 * The destructive rate (unPact, arXiv 2509.24675): of the unrelated questions that were answered right before unlearning, the share that is
 * answered wrong after it. The paper does not define it in a formula that we know; this reading is ours.
 * @throws {MetricError} when the lists differ in length
 * @function
 */
export const destructiveRate = checked(
  "destructiveRate",
  { verdicts: options(verdicts) },
  ({ before, after }: Verdicts): Rate => {
    requireSameLength("destructiveRate", { before, after });
    return rateOf(before.filter((right, question) => right && !after[question]).length, before.filter(Boolean).length);
  },
);

function requireSameLength(name: string, lists: Readonly<Record<string, readonly boolean[]>>): void {
  const lengths = Object.entries(lists).map(([list, { length }]) => `${length} ${list}`);
  if (new Set(Object.values(lists).map(({ length }) => length)).size > 1)
    throw new MetricError(`${name}: there are verdicts for ${lengths.join(", ")}; each question needs one of each`);
}
