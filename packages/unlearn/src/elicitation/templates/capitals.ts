import type { Emphasis } from "./emphasis.ts";
import { changeWords } from "./words.ts";

/** Writes the words in capitals. What has no small letter, such as a number, stays as it is. */
export const capitals: Emphasis = {
  name: "capitals",
  description: "writes the words in capitals",
  apply: (question, words) => changeWords(question, words, (word) => word.toUpperCase()),
};
