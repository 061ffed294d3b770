import { z } from "zod";
import { byteToken } from "./portable/bytes.ts";
import { knownPatterns } from "./portable/patterns.ts";
import type { TokenizerJson } from "./tokenizer-files.ts";

// What published LLaMA, OLMo and related tokenizers are made of. For these parts the tokenizer in JavaScript gives the same tokens and texts
// as the native library.

const flag = z.boolean();
const character = z.string().regex(/^.$/u);
const string = z.strictObject({ String: z.string().min(1) });
/** A replacement that does not make the text longer: a few of the others make it as long as memory. */
const replace = z
  .strictObject({ type: z.literal("Replace"), pattern: string, content: z.string() })
  .refine(({ pattern, content }) => content.length <= pattern.String.length);
const byteLevel = z.strictObject({
  type: z.literal("ByteLevel"),
  add_prefix_space: flag.default(true),
  trim_offsets: flag.optional(),
  use_regex: flag.default(true),
});
const metaspace = z
  .strictObject({
    type: z.literal("Metaspace"),
    replacement: character,
    prepend_scheme: z.enum(["always", "first", "never"]).default("always"),
    add_prefix_space: flag.optional(),
    split: flag.default(true),
  })
  // The two fields must not say different things.
  .refine(({ add_prefix_space, prepend_scheme }) => add_prefix_space !== false || prepend_scheme === "never");

const normalizer = z.union([
  z.strictObject({ type: z.literal("NFC") }),
  z.strictObject({ type: z.literal("Prepend"), prepend: z.string().min(1).max(8) }),
  replace,
]);
const pattern = z.strictObject({ Regex: z.enum(knownPatterns) });
const preTokenizer = z.union([
  byteLevel,
  z.strictObject({ type: z.literal("Digits"), individual_digits: flag }),
  z.strictObject({ type: z.literal("Split"), pattern, behavior: z.literal("Isolated"), invert: z.literal(false) }),
  z.strictObject({ type: z.literal("Split"), pattern, behavior: z.literal("Removed"), invert: z.literal(true) }),
]);
const decoder = z.union([
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
]);

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
      // To the native library, a token that it does not list, or a second text where there is one, is the end of the process.
      [...single, ...pair].every((one) => "Sequence" in one || Object.hasOwn(special_tokens, one.SpecialToken.id)) &&
      single.every((one) => !("Sequence" in one) || one.Sequence.id === "A"),
  );
const processor = z.union([byteLevel, template]);

/** A second template meets more texts than it is made for. */
function oneTemplate(value: z.infer<typeof processors> | null | undefined): boolean {
  const all = value?.type === "Sequence" ? value.processors : [];
  return all.filter(({ type }) => type === "TemplateProcessing").length <= 1;
}

/** One of these parts, or a `Sequence` of them. */
const normalizers = z.union([
  normalizer,
  z.strictObject({ type: z.literal("Sequence"), normalizers: z.array(normalizer).max(16) }),
]);
const preTokenizers = z.union([
  preTokenizer,
  metaspace,
  z.strictObject({ type: z.literal("Sequence"), pretokenizers: z.array(preTokenizer).max(16) }),
]);
const processors = z.union([
  processor,
  z.strictObject({ type: z.literal("Sequence"), processors: z.array(processor).max(16) }),
]);
const decoders = z.union([
  decoder,
  z.strictObject({ type: z.literal("Sequence"), decoders: z.array(decoder).max(16) }),
]);

const bytes = Array.from({ length: 256 }, (_, byte) => byteToken(byte));
const isByte = new Set(bytes);
const model = z
  .looseObject({
    type: z.literal("BPE"),
    dropout: z.null().optional(),
    unk_token: z.string().nullish(),
    // Merges are cut by the length of this prefix, whether they begin with it or not.
    continuing_subword_prefix: z.literal("").nullish(),
    end_of_word_suffix: z.literal("").nullish(),
    fuse_unk: flag.default(false),
    byte_fallback: flag.default(false),
    ignore_merges: flag.default(false),
    // Not a record of Zod's, which is slow for as many tokens as these have.
    vocab: z.custom<Readonly<Record<string, number>>>(isVocabulary),
    merges: z.custom<readonly (string | [string, string])[]>(Array.isArray),
  })
  .refine(({ vocab, byte_fallback }) => !byte_fallback || bytes.every((byte) => Object.hasOwn(vocab, byte)))
  .refine(({ vocab, merges, byte_fallback, unk_token }) =>
    merges.every((merge) => {
      const pair: unknown = typeof merge === "string" ? merge.split(" ") : merge;
      if (!Array.isArray(pair) || pair.length !== 2) return false;
      const isPart = (token: unknown) =>
        typeof token === "string" &&
        Object.hasOwn(vocab, token) &&
        // The native library also merges what stands for characters that it does not know.
        token !== unk_token &&
        !(byte_fallback && isByte.has(token));
      return pair.every(isPart) && Object.hasOwn(vocab, pair.join(""));
    }),
  );

function isVocabulary(value: unknown): boolean {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const ids: unknown[] = Object.values(value);
  return (
    ids.every((id) => Number.isInteger(id) && (id as number) >= 0 && (id as number) < 2 ** 32) &&
    new Set(ids).size === ids.length
  );
}

const known = z
  .looseObject({
    normalizer: normalizers.nullish(),
    pre_tokenizer: preTokenizers.nullish(),
    post_processor: processors.nullish().refine(oneTemplate),
    decoder: decoders.nullish(),
    model,
  })
  .refine(({ normalizer, pre_tokenizer }) => !looksBack(pre_tokenizer) || !normalizer || normalizer.type === "NFC", {
    path: ["pre_tokenizer"],
  });

/** Whether a pre-tokenizer asks which piece is the first, which depends on what a normalizer put before a text. */
function looksBack(value: z.infer<typeof preTokenizers> | null | undefined): boolean {
  return value?.type === "Metaspace" && value.prepend_scheme === "first";
}

export type KnownNormalizer = z.infer<typeof normalizers>;
export type KnownPreTokenizer = z.infer<typeof preTokenizers>;
export type KnownProcessor = z.infer<typeof processors>;
export type KnownDecoder = z.infer<typeof decoders>;
export type KnownModel = z.infer<typeof model>;
/** A `tokenizer.json` made of known parts, with the values that absent fields stand for. */
export type KnownParts = Readonly<z.infer<typeof known>>;

/** A tokenizer that is made of these parts; or the name of the first field with another. */
export function knownParts(json: TokenizerJson): KnownParts | { readonly unknown: string } {
  const { data, error } = known.safeParse(json);
  return data ?? { unknown: String(error.issues[0]?.path[0]) };
}
