import type { Decoder } from "@lethe/decoder";
import { LetheError } from "@lethe/tensor";
import {
  anyObject,
  atLeast,
  callable,
  checked,
  checkedAsync,
  listOf,
  oneOf,
  optional,
  options,
  orNull,
  wholeNumbers,
} from "@lethe/tensor/checked";
import { decoder, signal, tokens } from "../kinds.ts";
import { MetricError } from "../metrics/metric-error.ts";
import { type ClassedText, TOKEN_CLASSES, type TokenClass } from "./classes.ts";
import { textLogProbs } from "./text-log-probs.ts";

/** What a model makes of the tokens of one class that occur about equally often. */
export interface TokenGroup {
  readonly class: TokenClass;
  /** The fewest and the most occurrences of a token of this group in all texts; null where there is no most. */
  readonly from: number;
  readonly to: number | null;
  /** How many tokens were measured. */
  readonly count: number;
  /** The sum of their log-probabilities, in nats. */
  readonly logProb: number;
  /** The sum of their probabilities. */
  readonly probability: number;
}

export interface TokenGroupsOptions {
  /** The fewest occurrences of each band, in ascending order from 1. Default: 1, 2, 5, 20. */
  readonly bands?: readonly number[];
  /** Tokens of one batch, padding included; a longer text is a batch of its own. Default: 4096. */
  readonly batchTokens?: number;
  /** Called before each batch with the share of the work that is done. */
  readonly progress?: ((share: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The probability that a model gives to the tokens of texts, teacher-forced, by their class and by how often they occur in these texts. The
 * same texts give the same groups for every model, so that models can be compared: {@link probabilityLost}. Only a few rows of logits are in
 * memory at a time.
 * @returns a group for each class and band, class after class; also those without a token
 * @throws {MetricError} for bands that are not ascending from 1, or for classes that are not one for each token
 * @throws {LetheError} when a log-probability is not finite, with the text and the token
 * @throws the reason of `signal` when it is aborted
 * @function
 */
export const tokenGroups = checkedAsync(
  "tokenGroups",
  {
    model: decoder,
    texts: listOf(options({ tokens, classes: listOf(orNull(oneOf(TOKEN_CLASSES))) })),
    options: options({
      bands: optional(wholeNumbers),
      batchTokens: optional(atLeast(1)),
      progress: optional(callable),
      signal,
    }),
  },
  async (model: Decoder, texts: readonly ClassedText[], options: TokenGroupsOptions = {}): Promise<TokenGroup[]> => {
    const { bands = [1, 2, 5, 20], batchTokens = 4096, progress, signal } = options;
    if (bands[0] !== 1 || bands.some((from, i) => i > 0 && from <= bands[i - 1]!))
      throw new MetricError(`tokenGroups: the bands are [${bands}]; expected ascending numbers that begin with 1`);
    const measured = texts.flatMap((text, i) => measuredTokens(text, i));
    const occurrences = new Map<number, number>();
    for (const { token } of measured) occurrences.set(token, (occurrences.get(token) ?? 0) + 1);
    const logProbs = await textLogProbs(
      model,
      texts.map(({ tokens }) => tokens),
      { batchTokens, progress, signal },
    );
    const sums = new Map<string, { count: number; logProb: number; probability: number }>();
    for (const { token, text, place, of } of measured) {
      const logProb = logProbs[text]![place - 1]!;
      if (!Number.isFinite(logProb))
        throw new LetheError(
          `tokenGroups of ${model.label}: the log-probability of token ${place} of text ${text} is ${logProb}; the model's activations on it are NaN or too large`,
        );
      const band = bands.findLastIndex((from) => from <= occurrences.get(token)!);
      const { count, logProb: sum, probability } = sums.get(`${of} ${band}`) ?? NOTHING;
      sums.set(`${of} ${band}`, {
        count: count + 1,
        logProb: sum + logProb,
        probability: probability + Math.exp(logProb),
      });
    }
    return TOKEN_CLASSES.flatMap((of) =>
      bands.map((from, band) => {
        const to = band + 1 < bands.length ? bands[band + 1]! - 1 : null;
        return { class: of, from, to, ...(sums.get(`${of} ${band}`) ?? NOTHING) };
      }),
    );
  },
);

const NOTHING = { count: 0, logProb: 0, probability: 0 };

/** A token whose probability is measured, and where it is. */
interface Measured {
  readonly token: number;
  readonly text: number;
  readonly place: number;
  readonly of: TokenClass;
}

function measuredTokens({ tokens, classes }: ClassedText, text: number): Measured[] {
  if (classes.length !== tokens.length || classes[0])
    throw new MetricError(
      `tokenGroups: text ${text} has ${tokens.length} tokens and ${classes.length} classes; expected one for each, and null for the first`,
    );
  return [...tokens].flatMap((token, place) => {
    const of = classes[place]!;
    return of === null ? [] : [{ token, text, place, of }];
  });
}

/** What tokens lost from one model to another. Null without a token. */
export interface ProbabilityLost {
  readonly count: number;
  /** The mean loss of log-probability, in nats. */
  readonly drop: number | null;
  /** The geometric mean of a token's probability after over that before: exp(−drop). */
  readonly ratio: number | null;
  /** The mean probability after over that before. Unlike `ratio` it is not ruled by the tokens that have become next to impossible. */
  readonly kept: number | null;
}

/**
 * How much probability was taken from tokens: from all of the groups that are given, so that a caller selects a class or a band (unPact, arXiv
 * 2509.24675, has as its third finding that unlearning takes it from common words too).
 * @param before groups of the vanilla model
 * @param after the same groups of the unlearned model
 * @throws {MetricError} when these are not the same groups of the same texts
 * @function
 */
export const probabilityLost = checked(
  "probabilityLost",
  { before: listOf(anyObject), after: listOf(anyObject) },
  (before: readonly TokenGroup[], after: readonly TokenGroup[]): ProbabilityLost => {
    const shape = (groups: readonly TokenGroup[]) =>
      groups.map((group) => [group.class, group.from, group.count]).join();
    if (shape(before) !== shape(after))
      throw new MetricError(
        `probabilityLost: the groups before and after differ in their classes, bands or counts; both must be of the same texts`,
      );
    const sum = (groups: readonly TokenGroup[], of: "count" | "logProb" | "probability") =>
      groups.reduce((total, group) => total + group[of], 0);
    const count = sum(before, "count");
    if (count === 0) return { count, drop: null, ratio: null, kept: null };
    const drop = (sum(before, "logProb") - sum(after, "logProb")) / count;
    return { count, drop, ratio: Math.exp(-drop), kept: sum(after, "probability") / sum(before, "probability") };
  },
);
