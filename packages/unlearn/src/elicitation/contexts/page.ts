import type { Context } from "./context.ts";

/** Characters of text that are put before a question: as many as ConceptVectors takes. */
export const PAGE_CHARACTERS = 2000;

/**
 * Puts a page of text about the concept before the question: its first {@link PAGE_CHARACTERS} characters, up to the end of a word. For a model
 * with a short context, give a shorter text.
 *
 * The answer may stand on the page. So a model that never saw the concept is needed beside it: what that one answers was read, and not
 * remembered.
 */
export const page: Context = {
  name: "page",
  description: "puts a page of text about the concept before the question",
  source: "arXiv 2406.11614; our wording",
  apply(question, { concept, text }) {
    return `This was written about ${concept}: ${beginningOf(text, PAGE_CHARACTERS)}\n${question}`;
  },
};

/** A text up to so many characters, and up to the end of a word where words have ends. */
function beginningOf(text: string, characters: number): string {
  if (text.length <= characters) return text;
  const end = text.slice(0, characters + 1).search(/\s\S*$/u);
  // Half of a character at the end is none.
  return text.slice(0, end > characters / 2 ? end : characters).replace(/[\uD800-\uDBFF]$/, "");
}
