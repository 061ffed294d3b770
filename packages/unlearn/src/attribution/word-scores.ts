import { type Decoder, fewLengths } from "@lethe/decoder";
import { type F32, LetheError } from "@lethe/tensor";
import { atLeast, callable, optional, unlessAborted } from "@lethe/tensor/checked";
import { packed } from "../data/batches.ts";
import { type AnswerTokens, answerTokens } from "../depth/answer-tokens.ts";
import { signal } from "../kinds.ts";
import { windowsTogether } from "../restoration/together.ts";
import { type AttributedQuestion, checkQuestions } from "./questions.ts";

export interface WordScoreOptions {
  /**
   * Tokens of a batch at most, padding included. A question that is longer by itself is a batch alone, and gradients then compute the blocks'
   * activations twice to keep fewer of them. Default: as many as pay, by the size of their residual stream.
   */
  readonly batchTokens?: number;
  /** Called before each batch with the share of the work that is done. */
  readonly progress?: (share: number) => void;
  readonly signal?: AbortSignal | undefined;
}

/** What a {@link WordScoreOptions} must be. */
export const wordScoreOptions = { batchTokens: optional(atLeast(1)), progress: optional(callable), signal };

/** One run of a question through the model. */
export interface Run {
  /** The question's place in the list. */
  readonly index: number;
  readonly question: AttributedQuestion;
  /** How much its scores count in the question's. */
  readonly weight: number;
}

/** Each question once. */
export function runOnce(questions: readonly AttributedQuestion[]): Run[] {
  return questions.map((question, index) => ({ index, question, weight: 1 }));
}

/** What {@link wordScores} does with each batch. */
export interface Scoring<R extends Run> {
  /** The public function, for messages. */
  readonly operation: string;
  readonly questions: readonly AttributedQuestion[];
  readonly runs: readonly R[];
  /**
   * Scores every token of a batch.
   * @param whole the batch has no more tokens than was asked for
   * @returns `[B, T]`, padding and answers included
   */
  readonly score: (answers: AnswerTokens, runs: readonly R[], whole: boolean) => F32;
}

/**
 * Scores of each question's words: sums over the word's tokens, and over the question's runs. The runs are batched by their length, so that
 * little is padding.
 * @throws {LetheError} when a question cannot be attributed, or a score is not finite
 */
export async function wordScores<R extends Run>(
  model: Decoder,
  { operation, questions, runs, score }: Scoring<R>,
  options: WordScoreOptions,
): Promise<number[][]> {
  const { device, config } = model;
  const { batchTokens = windowsTogether(config.hidden_size), progress, signal } = options;
  checkQuestions(operation, questions);
  const batches = batchesOfRuns(runs, batchTokens);
  const reads = [];
  for (const [i, batch] of batches.entries()) {
    progress?.(i / batches.length);
    await device.ready(signal);
    using _ = device.scope("attribution");
    const asked = batch.map(({ question: { asked, answer } }) => ({ prompt: asked.tokens, answer }));
    const answers = answerTokens(device, asked);
    const { batch: laid } = answers.questions;
    reads.push({ batch, laid, values: score(answers, batch, laid.ids.size <= batchTokens).read() });
  }
  const scores = questions.map(({ asked }) => asked.words.map(() => 0));
  for (const { batch, laid, values } of reads) {
    const found = await unlessAborted(values, signal);
    for (const [sequence, { index, question, weight }] of batch.entries())
      for (const [word, { tokens }] of question.asked.words.entries())
        for (const token of tokens) scores[index]![word]! += weight * found[laid.row(sequence, token)]!;
  }
  for (const [index, own] of scores.entries()) {
    const broken = own.findIndex((value) => !Number.isFinite(value));
    if (broken < 0) continue;
    const { question, words } = questions[index]!.asked;
    throw new LetheError(
      `${model.label}, question ${index}, "${question}": the score of "${words[broken]!.text}" is ${own[broken]}; the model's activations on it are NaN or too large`,
    );
  }
  return scores;
}

/** Runs of similar length together, each batch as large as it may be. */
function batchesOfRuns<R extends Run>(runs: readonly R[], batchTokens: number): R[][] {
  const lengthOf = ({ question: { asked, answer } }: R) => fewLengths(asked.tokens.length + answer.length);
  // From long to short: the first of a batch says how wide it is.
  const fromLong = runs.toSorted((a, b) => lengthOf(b) - lengthOf(a));
  return packed(fromLong, batchTokens, ([widest]) => lengthOf(widest!));
}
