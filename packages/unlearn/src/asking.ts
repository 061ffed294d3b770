import { type Decoder, LogitsError, type Text } from "@lethe/decoder";
import { anyObject, atLeast, callable, optional } from "@lethe/tensor/checked";
import { type PromptForm, promptForm, promptTokens } from "./data/prompts.ts";
import { signal } from "./kinds.ts";
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

/** How a model is asked. */
export interface AskingOptions {
  /** Answers end here unless the model ends them before. */
  readonly maxTokens: number;
  /** How the questions are put. Default: `qa`. */
  readonly prompt?: PromptForm;
  /** What turns questions into tokens and answers into text, if not the model's own tokenizer. Default: the model's own. */
  readonly tokenizer?: Text;
  /** Answers that are made in one batch. Default: 64. */
  readonly batchSize?: number;
  /** Called after each pass over a batch: over its prompts, with guesses where there are some, and over each new token. */
  readonly onToken?: () => void;
  /** Stops at once. */
  readonly signal?: AbortSignal | undefined;
}

/** What {@link AskingOptions} must be. */
export const askingOptions = {
  maxTokens: atLeast(1),
  prompt: optional(promptForm),
  tokenizer: optional(anyObject),
  batchSize: optional(atLeast(1)),
  onToken: optional(callable),
  signal,
};

/** The tokens that ask questions. @throws {ModelUseError} as {@link promptTokens} */
export function promptsOf(tokenizer: Text, questions: readonly string[], form: PromptForm | undefined) {
  return Promise.all(questions.map((question) => promptTokens(tokenizer, question, form)));
}

/** An answer to a question, with its text. */
export async function answerOf(tokenizer: Text, asked: Omit<Answer, "text">): Promise<Answer> {
  return { ...asked, text: strip(await tokenizer.decode(asked.tokens)) };
}

/**
 * What is thrown for an error of generation: one of logits names the question.
 * @param questionOf the number of the question that a sequence asks
 */
export function namingQuestion(
  error: unknown,
  model: Decoder,
  questions: readonly string[],
  questionOf = (sequence: number) => sequence,
): unknown {
  if (!(error instanceof LogitsError)) return error;
  const sequence = questionOf(error.sequence);
  return new LogitsError(`${model.label}, question ${sequence}, "${questions[sequence]}"`, { ...error, sequence });
}
