import { atLeast, checked, type Kind, listOf, numbers, oneOf, optional, options } from "@lethe/tensor/checked";
import { share } from "../kinds.ts";
import { jaccard } from "../metrics/jaccard.ts";
import { MetricError } from "../metrics/metric-error.ts";

/** Ways to normalise positive contributions. */
export const NORMALISATIONS = ["max", "sum", "min-max"] as const;

/**
 * How positive contributions are normalised before they are compared with α: divided by the largest, divided by their sum, or carried to 0
 * for the smallest and 1 for the largest.
 */
export type Normalisation = (typeof NORMALISATIONS)[number];

/** The parameters of the key tokens. unPact's own values are not known to us; the defaults are our choice. */
export interface KeyTokenRule {
  /** α: a key token's normalised contribution is above it. From 0 to 1. Default: 0.2. */
  readonly alpha?: number;
  /** β: with fewer positive contributions than this, all of them are key tokens. Default: 4. */
  readonly beta?: number;
  /** N. Default: `max`. */
  readonly normalise?: Normalisation;
}

/** An argument that is a {@link KeyTokenRule}. */
export const keyTokenRule: Kind = options({
  alpha: optional(share),
  beta: optional(atLeast(1)),
  normalise: optional(oneOf(NORMALISATIONS)),
});

/**
 * The key tokens of a prompt (unPact, arXiv 2509.24675): those of positive contribution C where there are fewer than β of them; where there
 * are more, those of them with N(C) > α. N normalises the positive contributions.
 * @param contributions C of each word of the prompt, in nats
 * @returns the numbers of the words, in ascending order
 * @throws {MetricError} when a contribution is not finite
 * @function
 */
export const keyTokens = checked(
  "keyTokens",
  { contributions: numbers, rule: keyTokenRule },
  (contributions: ArrayLike<number>, rule: KeyTokenRule = {}): number[] => {
    const { alpha = 0.2, beta = 4, normalise = "max" } = rule;
    const all = Array.from(contributions);
    const broken = all.findIndex((value) => !Number.isFinite(value));
    if (broken >= 0)
      throw new MetricError(`keyTokens: contribution ${broken} is ${all[broken]}; expected a finite number of nats`);
    const positive = [...all.keys()].filter((word) => all[word]! > 0);
    if (positive.length < beta) return positive;
    const normalised = normalisers[normalise](positive.map((word) => all[word]!));
    return positive.filter((_, i) => normalised[i]! > alpha);
  },
);

/** Each takes one positive number or more. */
const normalisers: Readonly<Record<Normalisation, (values: readonly number[]) => number[]>> = {
  max(values) {
    const largest = Math.max(...values);
    return values.map((value) => value / largest);
  },
  sum(values) {
    const total = values.reduce((sum, value) => sum + value, 0);
    return values.map((value) => value / total);
  },
  "min-max"(values) {
    const [smallest, largest] = [Math.min(...values), Math.max(...values)];
    // Equal values are all the largest.
    return values.map((value) => (largest > smallest ? (value - smallest) / (largest - smallest) : 1));
  },
};

/** Values of the rule's parameters that are tried. */
export interface KeyTokenGrid {
  /** Default: 0.05, 0.1, 0.2, 0.3, 0.5. */
  readonly alpha?: readonly number[];
  /** Default: 1 to 6. */
  readonly beta?: readonly number[];
  /** Default: all three. */
  readonly normalise?: readonly Normalisation[];
}

/** The key tokens under one choice of the parameters. */
export interface KeyTokenChoice extends Required<KeyTokenRule> {
  /** For each prompt how many key tokens it has. */
  readonly sizes: number[];
  /** For each prompt Jaccard's index of its key tokens with those of the rule that all are compared with; null where neither has any. */
  readonly jaccard: (number | null)[];
}

/**
 * How much the parameters matter: the key tokens of prompts under every choice on a grid, compared with those under one rule.
 * @param prompts the contributions of the words of each prompt
 * @param rule what the others are compared with. Default: the defaults of {@link KeyTokenRule}
 * @returns one entry for each choice, α changing fastest, then β, then N
 * @throws {MetricError} when a contribution is not finite
 * @function
 */
export const sweepKeyTokens = checked(
  "sweepKeyTokens",
  {
    prompts: listOf(numbers),
    grid: options({
      alpha: optional(listOf(share)),
      beta: optional(listOf(atLeast(1))),
      normalise: optional(listOf(oneOf(NORMALISATIONS))),
    }),
    rule: keyTokenRule,
  },
  (prompts: readonly ArrayLike<number>[], grid: KeyTokenGrid = {}, rule: KeyTokenRule = {}): KeyTokenChoice[] => {
    const { alpha = [0.05, 0.1, 0.2, 0.3, 0.5], beta = [1, 2, 3, 4, 5, 6], normalise = NORMALISATIONS } = grid;
    const usual = prompts.map((contributions) => keyTokens(contributions, rule));
    const choices = normalise.flatMap((n) =>
      beta.flatMap((b) => alpha.map((a) => ({ alpha: a, beta: b, normalise: n }))),
    );
    return choices.map((choice) => {
      const chosen = prompts.map((contributions) => keyTokens(contributions, choice));
      return {
        ...choice,
        sizes: chosen.map(({ length }) => length),
        jaccard: chosen.map((words, prompt) => jaccard(words, usual[prompt]!)),
      };
    });
  },
);
