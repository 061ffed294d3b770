import type { Emphasis } from "./emphasis.ts";
import { bareWords } from "./words.ts";

/** Names the words once more after the question. */
export const focus: Emphasis = {
  name: "focus",
  description: "names the words after the question",
  source: "arXiv 2509.24675, FocusOnKey; our wording",
  apply(question, words) {
    const named = bareWords(words);
    return named.length > 0 ? `${question} Focus on: ${named.join(", ")}.` : question;
  },
};
