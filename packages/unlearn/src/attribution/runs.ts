import { LetheError, quote } from "@lethe/tensor";
import type { AttributedQuestion } from "./questions.ts";

/** A prompt with its answer, whole or without one word, as a model runs it. */
export interface Run {
  /** The question's number. */
  readonly question: number;
  /** The number of the word that is taken out; null: none. */
  readonly word: number | null;
  /** What is run: the prompt, then the answer. */
  readonly tokens: readonly number[];
  readonly answer: readonly number[];
  /** Tokens of the prompt. */
  readonly prompt: number;
  /** So many first tokens are those of the prompt with all its words, and the answer is predicted after them. */
  readonly shared: number;
}

/** A question's runs. */
export interface RunsOfQuestion {
  /** With all its words. */
  readonly whole: Run;
  /** Without one word each. */
  readonly without: readonly Run[];
}

/**
 * A question's runs.
 * @param number the question's
 * @param mask the token that stands in the place of each of a word's; null: they are deleted
 * @param alone whether each run is a pass over a prompt and all of its answer. If not, it has no row after which nothing is predicted.
 * @throws {LetheError} when the deletion leaves nothing of a prompt
 */
export function runsOf(
  { asked, answer }: AttributedQuestion,
  number: number,
  { mask, alone }: { readonly mask: number | null; readonly alone: boolean },
): RunsOfQuestion {
  const run = (word: number | null, prompt: readonly number[], same: number): Run => {
    const tokens = [...prompt, ...(alone ? answer : answer.slice(0, -1))];
    const shared = alone ? 0 : Math.min(same, prompt.length - 1);
    return { question: number, word, tokens, answer, prompt: prompt.length, shared };
  };
  const without = asked.words.map(({ text, tokens }, word) => {
    const gone = new Set(tokens);
    const prompt = asked.tokens.flatMap((token, place) => (!gone.has(place) ? [token] : mask === null ? [] : [mask]));
    if (prompt.length === 0)
      throw new LetheError(
        `attribute: without the word ${quote(text)} nothing is left of the prompt of question ${number}; a model needs a token before the answer. ` +
          "Mask words in place of deleting them, or take a longer prompt.",
      );
    return run(word, prompt, tokens[0]!);
  });
  return { whole: run(null, asked.tokens, 0), without };
}

/** The tokens that a run computes after those that it shares. */
export function freshTokens({ tokens, shared }: Run): number {
  return tokens.length - shared;
}
