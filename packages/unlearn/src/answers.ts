import { continueGreedily, type Decoder, LogitsError, type Text, textOf } from "@lethe/decoder";
import {
  anyObject,
  atLeast,
  callable,
  checked,
  checkedAsync,
  list,
  listOf,
  optional,
  options,
  text,
} from "@lethe/tensor/checked";
import { chunks } from "./data/batches.ts";
import { type PromptForm, promptForm, promptTokens } from "./data/prompts.ts";
import { decoder, signal } from "./kinds.ts";
import { strip } from "./white-space.ts";

/** A model's answer to one question. */
export interface Answer {
  readonly question: string;
  /** Tokens of the prompt, with what the tokenizer puts before a text. */
  readonly prompt: readonly number[];
  /** Tokens of the answer, without the one that ended it. */
  readonly tokens: readonly number[];
  readonly text: string;
}

export interface AnswerOptions {
  /** Answers end here unless the model ends them before. */
  readonly maxTokens: number;
  /** How the questions are put. Default: `qa`. */
  readonly prompt?: PromptForm;
  /** What turns questions into tokens and answers into text, if not the model's own tokenizer. Default: the model's own. */
  readonly tokenizer?: Text;
  /**
   * For each question the tokens of an answer that the model may give, such as that of an earlier epoch. They make asking faster, and change
   * no answer. Default: none.
   */
  readonly guesses?: readonly (readonly number[])[];
  /** Questions that are answered in one batch. Default: 64. */
  readonly batchSize?: number;
  /** Called after each pass over a batch: over its prompts and guesses, and over each new token. */
  readonly onToken?: () => void;
  /** Stops at once. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Asks a model questions, by the prompt `Question: {q}\n Answer:` unless another form is given, and lets it answer greedily, up to its
 * end-of-text token (arXiv 2410.06606, Section 3).
 * @throws {ModelUseError} when the model has no tokenizer, or no chat template where questions are put by it
 * @throws {LogitsError} when a model's logits are NaN, with the question
 * @throws the reason of `signal` when it is aborted
 * @function
 */
export const answerQuestions = checkedAsync(
  "answerQuestions",
  {
    model: decoder,
    questions: listOf(text),
    options: options({
      maxTokens: atLeast(1),
      prompt: optional(promptForm),
      tokenizer: optional(anyObject),
      guesses: optional(listOf(list)),
      batchSize: optional(atLeast(1)),
      onToken: optional(callable),
      signal,
    }),
  },
  async (
    model: Decoder,
    questions: readonly string[],
    { maxTokens, prompt, tokenizer: given, guesses = [], batchSize = 64, onToken, signal }: AnswerOptions,
  ): Promise<Answer[]> => {
    const tokenizer = given ?? (await textOf(model));
    const prompts = await Promise.all(questions.map((question) => promptTokens(tokenizer, question, prompt)));
    const answers: (readonly number[])[] = [];
    for (const batch of chunks([...prompts.keys()], batchSize)) {
      const sequences = batch.map((index) => prompts[index]!);
      try {
        const made = await continueGreedily(model, sequences, {
          maxNewTokens: maxTokens,
          guesses: batch.map((index) => guesses[index] ?? []),
          onPass: onToken,
          signal,
        });
        answers.push(...made.map(({ tokens }) => tokens));
      } catch (error) {
        if (!(error instanceof LogitsError)) throw error;
        const sequence = batch[error.sequence]!;
        throw new LogitsError(`${model.label}, question ${sequence}, "${questions[sequence]}"`, { ...error, sequence });
      }
    }
    const texts = await Promise.all(answers.map((tokens) => tokenizer.decode(tokens)));
    return questions.map((question, i) => ({
      question,
      prompt: prompts[i]!,
      tokens: answers[i]!,
      text: strip(texts[i]!),
    }));
  },
);

/** The share of answers that are word for word what was expected. @function */
export const exactShare = checked(
  "exactShare",
  { answers: listOf(anyObject), expected: listOf(text) },
  (answers: readonly Answer[], expected: readonly string[]): number =>
    answers.filter(({ text }, i) => text === expected[i]).length / answers.length,
);
