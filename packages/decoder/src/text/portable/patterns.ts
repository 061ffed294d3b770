import { letter, number, space } from "./unicode.ts";

const notSpace = `[^${space}]`;
const symbol = `[^${space}${letter}${number}]`;
const ends = `${space}+(?!${notSpace})|${space}+`;
/** English contractions in small letters and capitals. The long s (ſ) counts as an s. */
const contraction = "'[sSſ]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD]";
const gpt2 = (contractions: string) => `${contractions}| ?${letter}+| ?${number}+| ?${symbol}+|${ends}`;
const llama3 = (numbers: string) =>
  `${contraction}|[^\\r\\n${letter}${number}]?${letter}+|${numbers}| ?${symbol}+[\\r\\n]*|${space}*[\\r\\n]+|${ends}`;

/**
 * How words are cut: the patterns of published tokenizers, and each as JavaScript spells it. Of these, each character is looked at a few
 * times, whatever the text.
 */
const spellings = {
  // GPT-2, OLMo-1
  "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+": gpt2("'s|'t|'re|'ve|'m|'ll|'d"),
  "'(?:[sdmt]|ll|ve|re)| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+": gpt2("'(?:[sdmt]|ll|ve|re)"),
  // LLaMA-3, OLMo-2; Qwen2 and 3 with single digits
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+":
    llama3(`${number}{1,3}`),
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+":
    llama3(number),
  // Digits alone, as DeepSeek and SmolLM cut them first
  "\\p{N}{1,3}": `${number}{1,3}`,
  "\\p{N}": number,
} as const;

export type KnownPattern = keyof typeof spellings;

/** As they stand in a `tokenizer.json`. */
export const knownPatterns = Object.keys(spellings) as [KnownPattern, ...KnownPattern[]];

/** How the part `ByteLevel` cuts. */
export const byteLevelPattern = knownPatterns[0];

/** The pattern for JavaScript. */
export function patternOf(known: KnownPattern): RegExp {
  return new RegExp(spellings[known], "gv");
}
