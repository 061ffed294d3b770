import { checked, text } from "@lethe/tensor/checked";

const separators = String.fromCharCode(0x1c, 0x1d, 0x1e, 0x1f);

/** White space as Python's `str.isspace` has it: Unicode's and four separators. JavaScript's `\s` lacks five of them and has U+FEFF. */
const spaces = new RegExp(`[\\p{White_Space}${separators}]+`, "u");

/**
 * The words of a text as Python's `str.split()` gives them: what stands between runs of white space. Punctuation stays on its word.
 * @function
 */
export const splitWords = checked("splitWords", { text }, (text: string): string[] =>
  text.split(spaces).filter((word) => word !== ""),
);

/** The words of a text as {@link splitWords} gives them, and where each is, in UTF-16 units. */
export function placedWords(text: string): { readonly word: string; readonly start: number; readonly end: number }[] {
  let end = 0;
  return splitWords(text).map((word) => {
    const start = text.indexOf(word, end);
    end = start + word.length;
    return { word, start, end };
  });
}

/** A text without the white space around it, as Python's `str.strip()` gives it. */
export function strip(text: string): string {
  let [start, end] = [0, text.length];
  while (start < end && spaces.test(text[start]!)) start++;
  while (start < end && spaces.test(text[end - 1]!)) end--;
  return text.slice(start, end);
}

/** The places in a text at which there is no white space, in UTF-16 units. */
export function inkedPlaces(text: string): number[] {
  return [...Array(text.length).keys()].filter((place) => !spaces.test(text[place]!));
}
