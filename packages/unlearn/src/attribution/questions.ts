import { LetheError, quote } from "@lethe/tensor";
import { listOf, options, text } from "@lethe/tensor/checked";
import { tokens } from "../kinds.ts";
import type { AskedPrompt } from "./prompt-words.ts";

/** A question as it was put to a model, and the answer whose log-probability is attributed to the question's words. */
export interface AttributedQuestion {
  readonly asked: AskedPrompt;
  /** y, in tokens: the model's own answer, another model's, or the expected one. */
  readonly answer: readonly number[];
}

/** An argument that is a list of {@link AttributedQuestion}s. */
export const attributedQuestions = listOf(
  options({
    asked: options({ question: text, tokens, words: listOf(options({ text, tokens })) }),
    answer: tokens,
  }),
);

/**
 * Checks what types cannot say of questions.
 * @param operation the function that was given them, for the message
 * @throws {LetheError} for an empty answer, a question without words, or a word without places in its prompt
 */
export function checkQuestions(operation: string, questions: readonly AttributedQuestion[]): void {
  for (const [number, { asked, answer }] of questions.entries()) {
    const refuse = (why: string) => {
      throw new LetheError(`${operation}: question ${number}, ${quote(asked.question)}, ${why}`);
    };
    if (answer.length === 0) refuse("has an answer without tokens; expected one that has a log-probability");
    if (asked.words.length === 0) refuse("has no words; expected one as promptWords gives it");
    for (const { text, tokens } of asked.words)
      if (
        tokens.length === 0 ||
        tokens.some((place, i) => place >= asked.tokens.length || place <= (tokens[i - 1] ?? -1))
      )
        refuse(
          `has the word ${quote(text)} at the places [${tokens}]; expected ascending places among the ${asked.tokens.length} tokens of its prompt`,
        );
  }
}
