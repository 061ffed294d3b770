import type { Text } from "@lethe/decoder";
import { anyObject, checked, checkedAsync, text } from "@lethe/tensor/checked";
import { tokens } from "../kinds.ts";
import { wordsOf } from "../metrics/judges/keywords.ts";
import { splitWords } from "../white-space.ts";
import { commonWords } from "./common-words.ts";

/** The classes of tokens, by the words that they belong to. */
export const TOKEN_CLASSES = ["content", "common", "other"] as const;

/**
 * `common`: of a word that any text needs ({@link commonWords}). `content`: of any other word with a letter. `other`: without a letter of its own,
 * such as numbers, punctuation, and pieces of a character.
 */
export type TokenClass = (typeof TOKEN_CLASSES)[number];

/** A text, in tokens, and the class of each token whose probability is measured. */
export interface ClassedText {
  readonly tokens: readonly number[];
  /** One for each token. Null for those that are not measured: of a prompt's template, and a text's first, which nothing predicts. */
  readonly classes: readonly (TokenClass | null)[];
}

/** A question's prompt, and which of its tokens belong to which word of the question. */
export interface PromptInWords {
  readonly tokens: readonly number[];
  readonly words: readonly { readonly text: string; readonly tokens: readonly number[] }[];
}

/**
 * The class of a word. Case, punctuation around it and the ends of contractions do not matter; in a compound every part must be common.
 * @function
 */
export const wordClass = checked("wordClass", { word: text }, (word: string): TokenClass => {
  const parts = wordsOf(word).filter((part) => LETTER.test(part));
  if (parts.length === 0) return "other";
  return parts.every((part) => commonWords.has(part)) ? "common" : "content";
});

const LETTER = /\p{L}/u;

/**
 * A question's prompt and its answer as one text, with the class of each token of the question and of the answer.
 * @param asked the prompt, whose template belongs to no word
 * @param answer in tokens
 * @function
 */
export const classedText = checkedAsync(
  "classedText",
  { tokenizer: anyObject, asked: anyObject, answer: tokens },
  async (tokenizer: Text, asked: PromptInWords, answer: readonly number[]): Promise<ClassedText> => {
    const prompt = asked.tokens.length;
    const all = [...asked.tokens, ...answer];
    const words = all.map((): string | null => null);
    for (const word of asked.words) for (const token of word.tokens) words[token] = word.text;
    for (const [i, word] of (await wordOfEach(tokenizer, answer)).entries()) words[prompt + i] = word;
    words[0] = null;
    const classes = all.map(async (token, i): Promise<TokenClass | null> => {
      const word = words[i]!;
      if (word === null) return null;
      return LETTER.test(await tokenizer.decode([token])) ? wordClass(word) : "other";
    });
    return { tokens: all, classes: await Promise.all(classes) };
  },
);

/** The word of a text, between white space, that each of its tokens belongs to; empty where a token is white space alone. */
async function wordOfEach(tokenizer: Text, tokens: readonly number[]): Promise<string[]> {
  const whole = await tokenizer.decode(tokens);
  let at = 0;
  const words = splitWords(whole).map((word) => {
    const start = whole.indexOf(word, at);
    at = start + word.length;
    return { word, start, end: at };
  });
  const ends = await Promise.all(
    tokens.map(async (_, i) => (await tokenizer.decode(tokens.slice(0, i + 1))).replace(/\uFFFD+$/, "").length),
  );
  return tokens.map((_, i) => {
    const start = i === 0 ? 0 : ends[i - 1]!;
    // A token that is a part of a character ends where it starts.
    const end = Math.max(ends[i]!, start + 1);
    return words.find((word) => start < word.end && word.start < end)?.word ?? "";
  });
}
