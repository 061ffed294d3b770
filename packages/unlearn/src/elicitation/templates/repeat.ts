import type { Emphasis } from "./emphasis.ts";
import { changeWords } from "./words.ts";

/** Says each of the words twice where it stands. */
export const repeat: Emphasis = {
  name: "repeat",
  description: "says each of the words twice",
  apply: (question, words) => changeWords(question, words, (word) => `${word} ${word}`),
};
