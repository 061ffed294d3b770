import { type Decoder, drawContinuations, textOf } from "@lethe/decoder";
import { atLeast, checkedAsync, finite, listOf, notNegative, optional, options, text } from "@lethe/tensor/checked";
import { type Answer, type AskingOptions, answerOf, askingOptions, namingQuestion, promptsOf } from "../asking.ts";
import { decoder, share } from "../kinds.ts";

export interface DrawAnswersOptions extends AskingOptions {
  /** Answers to each question. */
  readonly samples: number;
  /** Seed of the draws. */
  readonly seed: number;
  /** The logits are divided by it; 0 always takes the likeliest token. Default: 1. */
  readonly temperature?: number;
  /** Each token is drawn among the likeliest that together reach this probability. Default: 1, among all. */
  readonly topP?: number;
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
      ...askingOptions,
      samples: atLeast(1),
      seed: finite,
      temperature: optional(notNegative),
      topP: optional(share),
    }),
  },
  async (
    model: Decoder,
    questions: readonly string[],
    { maxTokens, prompt, tokenizer: given, onToken, ...draws }: DrawAnswersOptions,
  ): Promise<Answer[][]> => {
    const tokenizer = given ?? (await textOf(model));
    const prompts = await promptsOf(tokenizer, questions, prompt);
    const drawn = await drawContinuations(model, prompts, { ...draws, maxNewTokens: maxTokens, onPass: onToken }).catch(
      (error) => {
        throw namingQuestion(error, model, questions);
      },
    );
    return Promise.all(
      drawn.map((own, i) =>
        Promise.all(
          own.map(({ tokens }) => answerOf(tokenizer, { question: questions[i]!, prompt: prompts[i]!, tokens })),
        ),
      ),
    );
  },
);
