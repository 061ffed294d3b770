import { placedWords } from "../../white-space.ts";

/** What does not belong to a word at its ends: all but letters, their marks, and digits. */
const ends = /^[^\p{L}\p{M}\p{N}]+|[^\p{L}\p{M}\p{N}]+$/gu;

/** A word without the punctuation around it: `Cupid` of `“Cupid?”`. Empty for punctuation alone. */
export function bareWord(word: string): string {
  return word.replace(ends, "");
}

/** Words without punctuation, each once, in their order. */
export function bareWords(words: readonly string[]): string[] {
  return [...new Set(words.map(bareWord))].filter((word) => word !== "");
}

/** A question in which each of some words is changed where it stands, and all else is kept: white space, and punctuation around words. */
export function changeWords(question: string, words: readonly string[], change: (word: string) => string): string {
  const wanted = new Set(bareWords(words));
  let at = 0;
  let changed = "";
  for (const { word, start, end } of placedWords(question)) {
    const bare = bareWord(word);
    // A replacement text would give a dollar sign a meaning.
    changed += question.slice(at, start) + (wanted.has(bare) ? word.replace(bare, () => change(bare)) : word);
    at = end;
  }
  return changed + question.slice(at);
}
