import { splitWords } from "../../white-space.ts";
import type { Emphasis } from "./emphasis.ts";
import { focus } from "./focus.ts";

/** Sentences of three words, and then a last one of three, four or five, that say nothing about any question. */
const FILLING = ["Take your time.", "There is plenty.", "Nobody is waiting."];
const LAST = ["Please answer now.", "Please answer it now.", "Please answer it as usual."];

/**
 * The control of `focus`: after the question as many words as `focus` has there, and none of them about it. What it brings back is due to a
 * prompt of another length and form, not to the words that are emphasised.
 */
export const neutral: Emphasis = {
  name: "neutral",
  description: "as many words after the question as focus has, none of them about it (control)",
  apply(question, words) {
    const more = splitWords(focus.apply(question, words)).length - splitWords(question).length;
    if (more === 0) return question;
    const sentences = Array.from({ length: Math.floor(more / 3) - 1 }, (_, i) => FILLING[i % FILLING.length]);
    return [question, ...sentences, LAST[more % 3]].join(" ");
  },
};
