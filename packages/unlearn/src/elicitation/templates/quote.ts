import type { Emphasis } from "./emphasis.ts";
import { changeWords } from "./words.ts";

/** Puts each of the words in quotation marks. */
export const quote: Emphasis = {
  name: "quote",
  description: "puts each of the words in quotation marks",
  apply: (question, words) => changeWords(question, words, (word) => `"${word}"`),
};
