import { type Batch, batchOf, type Decoder, stepOf, type Text, textOf } from "@lethe/decoder";
import { LetheError, quote } from "@lethe/tensor";
import {
  anyObject,
  atLeast,
  callable,
  checkedAsync,
  oneOf,
  optional,
  options,
  unlessAborted,
} from "@lethe/tensor/checked";
import { decoder, signal } from "../kinds.ts";
import { columnsOf, planBatches, type Shared, splitColumnsOf } from "./batches.ts";
import { LogProbs } from "./log-probs.ts";
import { type AttributedQuestion, attributedQuestions, checkQuestions } from "./questions.ts";
import { freshTokens, type Run } from "./runs.ts";

export type { AttributedQuestion } from "./questions.ts";

/** How a word is taken out of a prompt: its tokens are deleted, or each is replaced by a mask. */
export const PERTURBATIONS = ["delete", "mask"] as const;
export type Perturbation = (typeof PERTURBATIONS)[number];

export interface AttributeOptions {
  /** Default: `delete`. */
  readonly perturbation?: Perturbation;
  /** What replaces each token of a masked word. Default: the tokenizer's token of {@link MASK_TEXT}. */
  readonly maskToken?: number;
  /** Where the mask's token comes from, if not the model's own tokenizer. Default: the model's own. */
  readonly tokenizer?: Text;
  /**
   * Tokens of the largest batch, with padding and with those that it takes from a cache, unless one prompt with its answer has more.
   * Default: what keeps the adapter busy, or what fits its memory.
   */
  readonly batchTokens?: number;
  /** Called before each batch with the share of the work that is done. */
  readonly progress?: (share: number) => void;
  readonly signal?: AbortSignal | undefined;
}

/** How much of an answer's log-probability each word of the question holds up. */
export interface Attribution {
  /** LP(x, y): the mean log-probability of the answer's tokens after the whole prompt, in nats. */
  readonly logProb: number;
  /** C(x_i, y) of each word, in nats: above 0 where it supports the answer, below 0 where it opposes it. */
  readonly contributions: number[];
}

/** The text whose token masks a word: a blank to be filled in. The choice is ours. A model may never have seen a `<pad>` or `<unk>`. */
export const MASK_TEXT = "_";

/**
 * What each word of a question contributes to an answer (unPact, arXiv 2509.24675): C(x_i, y) = LP(x, y) − LP(x without x_i, y), with
 * LP(x, y) the mean log-probability of y's tokens after the prompt x and the tokens of y before them.
 *
 * A question of n words costs n + 1 passes. They are run in batches, and what comes before a word is computed once: a pass without the
 * word goes on from the keys and values of the whole prompt. Where rotary frequencies depend on the length (dynamic scaling beyond the trained
 * length) each pass is computed as a whole. Logits are computed only at the rows that predict y.
 * @throws {LetheError} for an empty answer, a question without words, a prompt of which nothing is left, or a log-probability that is not finite
 * @throws {ModelUseError} when words are masked, no token is given, and the model has no tokenizer; or for a token that is not in its vocabulary
 * @throws {OutOfMemoryError} before the first pass, when the batches do not fit the device
 * @throws the reason of `signal` when it is aborted
 * @function
 */
export const attribute = checkedAsync(
  "attribute",
  {
    model: decoder,
    questions: attributedQuestions,
    options: options({
      perturbation: optional(oneOf(PERTURBATIONS)),
      maskToken: optional(atLeast(0)),
      tokenizer: optional(anyObject),
      batchTokens: optional(atLeast(1)),
      progress: optional(callable),
      signal,
    }),
  },
  async (
    model: Decoder,
    questions: readonly AttributedQuestion[],
    options: AttributeOptions = {},
  ): Promise<Attribution[]> => {
    checkQuestions("attribute", questions);
    if (questions.length === 0) return [];
    const { perturbation = "delete", batchTokens, progress, signal } = options;
    const mask =
      perturbation === "mask"
        ? (options.maskToken ?? (await maskOf(options.tokenizer ?? (await textOf(model)))))
        : null;
    const { shared, plain } = planBatches(model, questions, mask, batchTokens);
    const runs = [...shared.flatMap(({ wholes, without }) => [...wholes, ...without.flat()]), ...plain.flat()];
    const total = runs.reduce((sum, run) => sum + freshTokens(run), 0);
    using logProbs = new LogProbs(
      model,
      runs.reduce((sum, { answer }) => sum + answer.length, 0),
    );
    let done = 0;
    const before = async (next: readonly Run[]) => {
      progress?.(done / total);
      await model.device.ready(signal);
      done += next.reduce((sum, run) => sum + freshTokens(run), 0);
    };
    for (const group of shared) await runShared(model, group, logProbs, before);
    for (const batch of plain) {
      await before(batch);
      using _ = model.device.scope("attribution");
      logProbs.add(wholeBatch(model, batch), batch);
    }
    const read = await unlessAborted(logProbs.read(), signal);
    return attributionsOf(model, questions, read);
  },
);

/** Runs questions with all their words into a cache, and then without each word from there. */
async function runShared(
  model: Decoder,
  { wholes, without }: Shared,
  logProbs: LogProbs,
  before: (next: readonly Run[]) => Promise<void>,
): Promise<void> {
  const { device } = model;
  const columns = columnsOf(wholes);
  await before(wholes);
  using cache = model.newCache(wholes.length, columns);
  {
    using _ = device.scope("attribution");
    logProbs.add(wholeBatch(model, wholes), wholes, cache);
  }
  const rows = new Map(
    wholes.map(({ question, tokens }, from) => [question, { from, start: columns - tokens.length }]),
  );
  for (const runs of without) {
    await before(runs);
    const { cached, fresh } = splitColumnsOf(runs);
    using own = model.newCache(runs.length, cached + fresh);
    own.reserve(own.capacity);
    const lengths = runs.map(({ shared }) => shared);
    own.take(
      cache,
      runs.map(({ question, shared }) => ({ ...rows.get(question)!, length: shared })),
      cached,
    );
    using _ = device.scope("attribution");
    const rest = runs.map(({ tokens, shared }) => tokens.slice(shared));
    const starts = lengths.map((length) => cached - length);
    logProbs.add(stepOf(device, rest, { starts, lengths }), runs, own);
  }
}

function wholeBatch({ device }: Decoder, runs: readonly Run[]): Batch {
  return batchOf(
    device,
    runs.map(({ tokens }) => tokens),
  );
}

/** The last token of {@link MASK_TEXT}: SentencePiece may put a space before it. */
async function maskOf(text: Text): Promise<number> {
  return (await text.encode(MASK_TEXT, { special: false })).at(-1)!;
}

function attributionsOf(
  model: Decoder,
  questions: readonly AttributedQuestion[],
  read: Awaited<ReturnType<LogProbs["read"]>>,
): Attribution[] {
  const whole: number[] = [];
  const without = questions.map(({ asked }) => asked.words.map(() => Number.NaN));
  for (const { run, logProb } of read) {
    const { question, word } = run;
    const { asked } = questions[question]!;
    if (!Number.isFinite(logProb))
      throw new LetheError(
        `attribute: the log-probability that ${model.label} gives the answer to question ${question}, ${quote(asked.question)}, ` +
          `${word === null ? "" : `without the word ${quote(asked.words[word]!.text)} `}is ${logProb}; its activations are NaN or too large`,
      );
    if (word === null) whole[question] = logProb;
    else without[question]![word] = logProb;
  }
  return without.map((words, question) => {
    const logProb = whole[question]!;
    return { logProb, contributions: words.map((other) => logProb - other) };
  });
}
