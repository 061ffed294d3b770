import { randomOf, shuffled } from "@lethe/tensor";
import { checked, finite, listOf, text, wholeNumbers } from "@lethe/tensor/checked";
import { MetricError } from "../../metrics/metric-error.ts";
import { bareWord, bareWords } from "./words.ts";

/**
 * The control of key words: as many other words of the question, chosen at random. Where the question has fewer others, all of them. Words
 * count as equal when they differ in punctuation alone; the choice has none that equals a key word, and none twice.
 * @param words the words of a question
 * @param key the numbers of its key words
 * @param seed of the choice; a question's choice does not depend on other questions
 * @returns the numbers of the chosen words, in ascending order
 * @throws {MetricError} when there is no word of a number in `key`
 * @function
 */
export const otherWords = checked(
  "otherWords",
  { words: listOf(text), key: wholeNumbers, seed: finite },
  (words: readonly string[], key: readonly number[], seed: number): number[] => {
    const missing = key.find((word) => words[word] === undefined);
    if (missing !== undefined)
      throw new MetricError(`otherWords: key word ${missing} is none of the question's ${words.length} words`);
    const taken = bareWords(key.map((word) => words[word]!));
    const bare = words.map(bareWord);
    const others = bareWords(words).filter((word) => !taken.includes(word));
    const chosen = shuffled(others, randomOf(seed, "other words", words.join(" "))).slice(0, taken.length);
    return chosen.map((word) => bare.indexOf(word)).sort((a, b) => a - b);
  },
);
