import type { Text } from "@lethe/decoder";
import { anyObject, checked, checkedAsync, text } from "@lethe/tensor/checked";
import type { AskedPrompt } from "../attribution/prompt-words.ts";
import { overlap, tokenSpans } from "../data/token-spans.ts";
import { tokens } from "../kinds.ts";
import { wordsOf } from "../metrics/judges/keywords.ts";
import { placedWords } from "../white-space.ts";
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
  async (
    tokenizer: Text,
    asked: Pick<AskedPrompt, "tokens" | "words">,
    answer: readonly number[],
  ): Promise<ClassedText> => {
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
  const { text, spans } = await tokenSpans(tokenizer, tokens);
  const words = placedWords(text);
  return spans.map((span) => words.find((word) => overlap(word, span))?.word ?? "");
}
