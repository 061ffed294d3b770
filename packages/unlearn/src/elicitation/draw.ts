import { type Decoder, drawContinuations, LogitsError, type Text, textOf } from "@lethe/decoder";
import {
  anyObject,
  atLeast,
  callable,
  checkedAsync,
  finite,
  listOf,
  notNegative,
  optional,
  options,
  text,
} from "@lethe/tensor/checked";
import type { Answer } from "../answers.ts";
import { type PromptForm, promptForm, promptTokens } from "../data/prompts.ts";
import { decoder, share, signal } from "../kinds.ts";
import { strip } from "../white-space.ts";

export interface DrawAnswersOptions {
  /** Answers to each question. */
  readonly samples: number;
  /** Answers end here unless the model ends them before. */
  readonly maxTokens: number;
  /** Seed of the draws. */
  readonly seed: number;
  /** How the questions are put. Default: `qa`. */
  readonly prompt?: PromptForm;
  /** The logits are divided by it; 0 always takes the likeliest token. Default: 1. */
  readonly temperature?: number;
  /** Each token is drawn among the likeliest that together reach this probability. Default: 1, among all. */
  readonly topP?: number;
  /** What turns questions into tokens and answers into text, if not the model's own tokenizer. Default: the model's own. */
  readonly tokenizer?: Text;
  /** Answers that are drawn in one batch. Default: 64. */
  readonly batchSize?: number;
  /** Called after each pass over a batch: over its prompts, and over each new token. */
  readonly onToken?: () => void;
  /** Stops at once. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Asks a model each question several times, and draws its answers from the model's own distribution: temperature 1, top-p 1, as leak@k wants
 * them (arXiv 2511.04934). Each answer has random numbers of its own, by the seed, its prompt and its number: the same seed gives the same
 * answers on the same adapter, whichever questions are asked beside. Another batch size changes the last bits of logits, and so an answer
 * only where a random number falls within those bits.
 * @returns for each question its answers
 * @throws {ModelUseError} when the model has no tokenizer, or no chat template where questions are put by it, and for options outside their range
 * @throws {OutOfMemoryError} when a batch does not fit the device
 * @throws {LogitsError} when a model's logits are NaN, with the question
 * @throws the reason of `signal` when it is aborted
 * @function
 */
export const drawAnswers = checkedAsync(
  "drawAnswers",
  {
    model: decoder,
    questions: listOf(text),
    options: options({
      samples: atLeast(1),
      maxTokens: atLeast(1),
      seed: finite,
      prompt: optional(promptForm),
      temperature: optional(notNegative),
      topP: optional(share),
      tokenizer: optional(anyObject),
      batchSize: optional(atLeast(1)),
      onToken: optional(callable),
      signal,
    }),
  },
  async (
    model: Decoder,
    questions: readonly string[],
    { maxTokens, prompt, tokenizer: given, onToken, ...draws }: DrawAnswersOptions,
  ): Promise<Answer[][]> => {
    const tokenizer = given ?? (await textOf(model));
    const prompts = await Promise.all(questions.map((question) => promptTokens(tokenizer, question, prompt)));
    const drawn = await drawContinuations(model, prompts, { ...draws, maxNewTokens: maxTokens, onPass: onToken }).catch(
      (error) => {
        if (!(error instanceof LogitsError)) throw error;
        const { sequence } = error;
        throw new LogitsError(`${model.label}, question ${sequence}, "${questions[sequence]}"`, error);
      },
    );
    return Promise.all(
      drawn.map((own, i) =>
        Promise.all(
          own.map(async ({ tokens }): Promise<Answer> => {
            const answer = strip(await tokenizer.decode(tokens));
            return { question: questions[i]!, prompt: prompts[i]!, tokens, text: answer };
          }),
        ),
      ),
    );
  },
);
