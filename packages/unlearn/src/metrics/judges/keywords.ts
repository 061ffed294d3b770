import type { Judge } from "./judge.ts";
import { stopWords } from "./stop-words.ts";

/**
 * The share of the expected answer's key words that the answer holds. The rule is our own; see {@link keyWordsOf}.
 *
 * A right answer in other words passes, also a longer one, and so does a wrong one that names the right things. Half of the key words is
 * enough by default: the expected answers of the ConceptVectors files say more than was asked.
 */
export const keywords: Judge = {
  name: "keywords",
  description: "share of the expected answer's key words that the answer holds",
  threshold: 0.5,
  score({ question, expected, answer }) {
    const wanted = keyWordsOf(question, expected);
    const given = new Set(wordsOf(answer));
    return wanted.length === 0 ? 0 : wanted.filter((word) => given.has(word)).length / wanted.length;
  },
};

/**
 * The words of an expected answer without stop words and without those of the question, each once: what the answer adds to the question.
 * Numbers count as words. Where nothing is left ("Yes, he did."), all words of the expected answer.
 */
export function keyWordsOf(question: string, expected: string): string[] {
  const all = new Set(wordsOf(expected));
  const asked = new Set(wordsOf(question));
  const key = [...all].filter((word) => !asked.has(word) && !stopWords.has(word));
  return key.length > 0 ? key : [...all];
}

/**
 * Runs of letters and digits in lower case, without the ends of contractions and of possessives. A number is written the same with commas
 * between its thousands and as an ordinal: 14th is 14.
 */
export function wordsOf(text: string): string[] {
  const plain = text
    .normalize("NFKC")
    .toLowerCase()
    .replace(/(?:n['’]t|['’](?:s|re|ve|ll|d|m))(?![\p{L}\p{N}])/gu, "")
    .replace(/(?<=\d),(?=\d{3})/g, "")
    .replace(/(?<=\d)(?:st|nd|rd|th)(?![\p{L}\p{N}])/gu, "");
  return plain.match(/[\p{L}\p{M}\p{N}]+/gu) ?? [];
}
