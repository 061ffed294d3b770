import type { Text } from "@lethe/decoder";
import { anyObject, checkedAsync, options, orNull, text } from "@lethe/tensor/checked";
import { overlap, tokenSpans } from "../data/token-spans.ts";
import { tokens as tokenIds } from "../kinds.ts";
import { keyWordsOf, wordsOf } from "../metrics/judges/keywords.ts";

/** A vanilla answer, and what was expected. */
export interface ExpectedAnswer {
  readonly question: string;
  /** The data's own answer, null where the data have none. */
  readonly expected: string | null;
  /** The answer that was given, in tokens. */
  readonly tokens: readonly number[];
}

/** A word with what binds its parts: "Valentine's", "1,000", "J.K". */
const WORD = /[\p{L}\p{M}\p{N}]+(?:[.,'’][\p{L}\p{N}]+)*/gu;

/**
 * The tokens of an answer that carry what was asked for: those of the expected answer's key words that the answer holds. Key words are the
 * words of the expected answer without stop words and without those of the question, as the judge `keywords` has them. Where nothing was
 * expected, or none of the key words is there, they are all tokens.
 *
 * The choice is ours: arXiv 2605.24614 has its entities annotated by hand.
 * @returns their places in the answer from 0, in ascending order
 * @function
 */
export const entityTokens = checkedAsync(
  "entityTokens",
  { tokenizer: anyObject, answer: options({ question: text, expected: orNull(text), tokens: tokenIds }) },
  async (tokenizer: Text, { question, expected, tokens }: ExpectedAnswer): Promise<number[]> => {
    const all = [...tokens.keys()];
    if (expected === null) return all;
    const key = new Set(keyWordsOf(question, expected));
    const { text: answer, spans } = await tokenSpans(tokenizer, tokens);
    const words = [...answer.matchAll(WORD)]
      .filter(([word]) => wordsOf(word).some((part) => key.has(part)))
      .map(({ 0: word, index }) => ({ start: index, end: index + word.length }));
    const found = all.filter((token) => words.some((word) => overlap(word, spans[token]!)));
    return found.length > 0 ? found : all;
  },
);
