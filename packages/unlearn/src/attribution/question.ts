import { LetheError } from "@lethe/tensor";
import { type Kind, listOf, options, text, wholeNumbers } from "@lethe/tensor/checked";
import { tokens } from "../kinds.ts";

/** A word of a question, and the tokens that it became. */
export interface PromptWord {
  readonly text: string;
  /** Places in the prompt's tokens, in ascending order. */
  readonly tokens: readonly number[];
}

/** A question as it is put to a model. */
export interface AskedPrompt {
  readonly question: string;
  /** The whole prompt. Tokens of its template belong to no word. */
  readonly tokens: readonly number[];
  readonly words: readonly PromptWord[];
}

/** A question, and the answer whose log-probability is attributed to the question's words. */
export interface AttributedQuestion {
  readonly asked: AskedPrompt;
  /** y, in tokens. */
  readonly answer: readonly number[];
}

/** An argument that is a list of {@link AttributedQuestion}. */
export const attributedQuestions: Kind = listOf(
  options({
    asked: options({ question: text, tokens, words: listOf(options({ text, tokens: wholeNumbers })) }),
    answer: tokens,
  }),
);

/** @throws {LetheError} when a question has no prompt or no answer, or a word has tokens that the prompt lacks */
export function requireAttributable(questions: readonly AttributedQuestion[]): void {
  for (const [index, { asked, answer }] of questions.entries()) {
    const where = `question ${index}, "${asked.question}"`;
    const { length } = asked.tokens;
    if (length === 0) throw new LetheError(`${where}, has no prompt tokens; the first token of an answer follows one`);
    if (answer.length === 0)
      throw new LetheError(`${where}, has an answer of no tokens, whose log-probability is not defined; leave it out`);
    for (const { text, tokens } of asked.words)
      if (tokens.some((token, i) => token >= length || token <= (tokens[i - 1] ?? -1)))
        throw new LetheError(
          `${where}: the word "${text}" has the tokens [${tokens}]; expected ascending places in its prompt of ${length} tokens`,
        );
  }
}
