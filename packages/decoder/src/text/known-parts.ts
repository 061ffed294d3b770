import { z } from "zod";
import type { TokenizerJson } from "./tokenizer-files.ts";

// The native library ends the whole process where its code meets something that it did not expect, and its patterns can take for ever. In
// these parts neither was found: what published LLaMA, OLMo and related tokenizers are made of.

/** How words are cut. Of these, each character is looked at a few times, whatever the text. */
const patterns = [
  // GPT-2, OLMo-1
  "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
  "'(?:[sdmt]|ll|ve|re)| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
  // LLaMA-3, OLMo-2; Qwen2 and 3 with single digits
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
  // digits alone, as DeepSeek and SmolLM cut them first
  "\\p{N}{1,3}",
  "\\p{N}",
];

const flag = z.boolean().optional();
const pattern = z.union([
  z.strictObject({ String: z.string().min(1) }),
  z.strictObject({ Regex: z.enum(patterns as [string, ...string[]]) }),
]);
const character = z.string().regex(/^.$/u);
/** A replacement that does not make the text longer: a few of the others make it as long as memory. */
const replace = z
  .strictObject({ type: z.literal("Replace"), pattern, content: z.string() })
  .refine(({ pattern: one, content }) => "String" in one && content.length <= one.String.length);
const byteLevel = z.strictObject({
  type: z.literal("ByteLevel"),
  add_prefix_space: flag,
  trim_offsets: flag,
  use_regex: flag,
});
const metaspace = z.strictObject({
  type: z.literal("Metaspace"),
  replacement: character,
  prepend_scheme: z.enum(["always", "first", "never"]).optional(),
  add_prefix_space: flag,
  split: flag,
});

/** One of these parts, or a `Sequence` of them. */
function parts<T extends z.ZodType>(field: string, one: T) {
  return z.union([one, z.strictObject({ type: z.literal("Sequence"), [field]: z.array(one).max(16) })]).nullish();
}

const piece = z.union([
  z.strictObject({ SpecialToken: z.strictObject({ id: z.string(), type_id: z.int().min(0).max(9) }) }),
  z.strictObject({ Sequence: z.strictObject({ id: z.enum(["A", "B"]), type_id: z.int().min(0).max(9) }) }),
]);
const template = z
  .strictObject({
    type: z.literal("TemplateProcessing"),
    single: z.array(piece),
    pair: z.array(piece),
    special_tokens: z.record(
      z.string(),
      z.strictObject({ id: z.string(), ids: z.array(z.int().min(0)), tokens: z.array(z.string()) }),
    ),
  })
  .refine(
    ({ single, pair, special_tokens }) =>
      // A token that it does not list, or a second text where there is one, ends the process.
      [...single, ...pair].every((one) => "Sequence" in one || Object.hasOwn(special_tokens, one.SpecialToken.id)) &&
      single.every((one) => !("Sequence" in one) || one.Sequence.id === "A"),
  );

/** A second template meets more texts than it is made for. */
function oneTemplate(processor: object | null | undefined): boolean {
  const all = processor && "processors" in processor ? (processor.processors as readonly { type: string }[]) : [];
  return all.filter(({ type }) => type === "TemplateProcessing").length <= 1;
}

const known = z.looseObject({
  normalizer: parts(
    "normalizers",
    z.union([
      z.strictObject({ type: z.enum(["NFC", "NFD", "NFKC", "NFKD", "Lowercase"]) }),
      z.strictObject({ type: z.literal("Prepend"), prepend: z.string().min(1).max(8) }),
      replace,
    ]),
  ),
  pre_tokenizer: parts(
    "pretokenizers",
    z.union([
      byteLevel,
      metaspace,
      z.strictObject({ type: z.literal("Digits"), individual_digits: z.boolean() }),
      z.strictObject({ type: z.literal("Split"), pattern, behavior: z.string(), invert: z.boolean() }),
    ]),
  ),
  post_processor: parts("processors", z.union([byteLevel, template])).refine(oneTemplate),
  decoder: parts(
    "decoders",
    z.union([
      byteLevel,
      metaspace,
      replace,
      z.strictObject({ type: z.enum(["ByteFallback", "Fuse"]) }),
      z.strictObject({
        type: z.literal("Strip"),
        content: character,
        start: z.int().min(0).max(9),
        // An empty piece has no end to strip.
        stop: z.literal(0),
      }),
    ]),
  ),
  model: z
    .looseObject({
      type: z.literal("BPE"),
      dropout: z.null().optional(),
      // Merges are cut by the length of this prefix, whether they begin with it or not.
      continuing_subword_prefix: z.literal("").nullish(),
      end_of_word_suffix: z.literal("").nullish(),
      vocab: z.custom<object>((value) => typeof value === "object" && value !== null),
      merges: z.custom<readonly unknown[]>(Array.isArray),
    })
    // The library writes the result of a merge where only tokens of the vocabulary have room.
    .refine(({ vocab, merges }) =>
      merges.every((merge) => {
        const pair: unknown = typeof merge === "string" ? merge.split(" ") : merge;
        return Array.isArray(pair) && pair.length === 2 && Object.hasOwn(vocab, pair.join(""));
      }),
    ),
});

/** Whether a tokenizer is made of these parts, so that the native library can run it in this process. */
export function hasKnownParts(json: TokenizerJson): boolean {
  return known.safeParse(json).success;
}
