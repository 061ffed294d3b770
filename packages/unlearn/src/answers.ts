import { continueGreedily, type Decoder, textOf } from "@lethe/decoder";
import { anyObject, checked, checkedAsync, list, listOf, optional, options, text } from "@lethe/tensor/checked";
import { type Answer, type AskingOptions, answerOf, askingOptions, namingQuestion, promptsOf } from "./asking.ts";
import { chunks } from "./data/batches.ts";
import { decoder } from "./kinds.ts";

export interface AnswerOptions extends AskingOptions {
  /**
   * For each question the tokens of an answer that the model may give, such as that of an earlier epoch. They make asking faster, and change
   * no answer. Default: none.
   */
  readonly guesses?: readonly (readonly number[])[];
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
    options: options({ ...askingOptions, guesses: optional(listOf(list)) }),
  },
  async (
    model: Decoder,
    questions: readonly string[],
    { maxTokens, prompt, tokenizer: given, guesses = [], batchSize = 64, onToken, signal }: AnswerOptions,
  ): Promise<Answer[]> => {
    const tokenizer = given ?? (await textOf(model));
    const prompts = await promptsOf(tokenizer, questions, prompt);
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
        throw namingQuestion(error, model, questions, (sequence) => batch[sequence]!);
      }
    }
    return Promise.all(
      questions.map((question, i) => answerOf(tokenizer, { question, prompt: prompts[i]!, tokens: answers[i]! })),
    );
  },
);

/** The share of answers that are word for word what was expected. @function */
export const exactShare = checked(
  "exactShare",
  { answers: listOf(anyObject), expected: listOf(text) },
  (answers: readonly Answer[], expected: readonly string[]): number =>
    answers.filter(({ text }, i) => text === expected[i]).length / answers.length,
);
