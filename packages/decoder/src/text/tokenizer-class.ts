import type { AddedToken, TokenizerFiles, TokenizerJson } from "./tokenizer-files.ts";

type Fields = Readonly<Record<string, unknown>>;

/** What a tokenizer class of `transformers` makes of a directory, where it is more than to read `tokenizer.json`. */
interface TokenizerClass {
  /** Special tokens that it has where `tokenizer_config.json` does not say. */
  readonly tokens: Readonly<Record<string, string>>;
  /** The parts that replace those of `tokenizer.json`, of which vocabulary and merges stay. */
  rebuild(config: Fields): Record<"model" | "normalizer" | "pre_tokenizer" | "decoder", object | null>;
  /** Whether BOS comes before a text: `tokenizer.json` decides where this does not say. */
  readonly bos?: boolean;
}

const endOfText = { bos_token: "<|endoftext|>", eos_token: "<|endoftext|>", unk_token: "<|endoftext|>" };
const sentencePiece = { bos_token: "<s>", eos_token: "</s>", unk_token: "<unk>" };

const bpe = { dropout: null, unk_token: null, byte_fallback: false, fuse_unk: false, ignore_merges: false };
const sentencePieceModel = { ...bpe, byte_fallback: true, fuse_unk: true };
const byteLevel = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true };
const metaspace = (scheme: "always" | "first" | "never") => ({
  type: "Metaspace",
  replacement: "▁",
  prepend_scheme: scheme,
  split: false,
});
/** Pieces to text: ▁ is a space, `<0xNN>` a byte; the space that was put before the text goes again. */
const sentencePieceDecoder = (strip: boolean) => ({
  type: "Sequence",
  decoders: [
    { type: "Replace", pattern: { String: "▁" }, content: " " },
    { type: "ByteFallback" },
    { type: "Fuse" },
    ...(strip ? [{ type: "Strip", content: " ", start: 1, stop: 0 }] : []),
  ],
});

/**
 * The classes that directories of LLaMA and OLMo name and that build their tokenizer anew from vocabulary and merges, by
 * `transformers` 5.23. Classes of other models that do the same (such as `Qwen2Tokenizer`) are not followed: there `tokenizer.json`
 * counts, which holds what the class was made for.
 */
const classes: Readonly<Record<string, TokenizerClass>> = {
  LlamaTokenizer: {
    tokens: sentencePiece,
    rebuild({ add_prefix_space, legacy }) {
      const prefix = add_prefix_space !== false;
      return {
        model: sentencePieceModel,
        normalizer: null,
        pre_tokenizer: metaspace(prefix ? (legacy ? "always" : "first") : "never"),
        decoder: sentencePieceDecoder(prefix),
      };
    },
  },
  CodeLlamaTokenizer: {
    tokens: {
      ...sentencePiece,
      prefix_token: "▁<PRE>",
      middle_token: "▁<MID>",
      suffix_token: "▁<SUF>",
      eot_token: "▁<EOT>",
      fill_token: "<FILL_ME>",
    },
    rebuild({ add_prefix_space, unk_token }) {
      const unknown = (unk_token ?? sentencePiece.unk_token) as string | AddedToken;
      return {
        model: { ...sentencePieceModel, unk_token: typeof unknown === "string" ? unknown : unknown.content },
        normalizer: null,
        pre_tokenizer: metaspace(add_prefix_space !== false ? "first" : "never"),
        decoder: sentencePieceDecoder(true),
      };
    },
    bos: true,
  },
  GPTNeoXTokenizer: {
    tokens: { ...endOfText, pad_token: "<|padding|>" },
    rebuild: ({ add_prefix_space }) => ({
      model: bpe,
      normalizer: { type: "NFC" },
      pre_tokenizer: { ...byteLevel, add_prefix_space: add_prefix_space === true },
      decoder: byteLevel,
    }),
    bos: false,
  },
  GPT2Tokenizer: {
    tokens: endOfText,
    rebuild: ({ add_prefix_space }) => ({
      model: bpe,
      normalizer: null,
      pre_tokenizer: { ...byteLevel, add_prefix_space: add_prefix_space === true },
      decoder: byteLevel,
    }),
  },
};

/** A tokenizer as its class in `transformers` has it, before special tokens are added. */
export interface ClassTokenizer {
  /** In the form of `tokenizer.json`. */
  readonly source: string;
  /** Added tokens that are in it already. */
  readonly present: readonly AddedToken[];
  /** Special tokens by role that the class has where no file says. */
  readonly tokens: Readonly<Record<string, string>>;
  readonly bos: boolean | undefined;
}

/**
 * Follows the class that `AutoTokenizer` of `transformers` 5.23 takes for a directory. Most take `tokenizer.json` as it is, its
 * post-processor included: `add_bos_token` and `add_eos_token` of `tokenizer_config.json` are not heeded by any class where there is a
 * `tokenizer.json`. Some build everything but vocabulary and merges anew.
 */
export function asClassHasIt(files: TokenizerFiles): ClassTokenizer {
  const { json, source, config } = files;
  const known = classes[className(files)];
  // They can build nothing but BPE, which is what LLaMA and OLMo have.
  if (!known || json.model.type !== "BPE")
    return { source, present: json.added_tokens ?? [], tokens: {}, bos: undefined };
  const { model, ...parts } = known.rebuild(config);
  const rebuilt = {
    version: "1.0",
    added_tokens: [],
    ...parts,
    post_processor: known.bos === undefined ? (json.post_processor ?? null) : null,
    model: { type: "BPE", ...model, vocab: json.model.vocab, merges: json.model.merges ?? [] },
  } satisfies TokenizerJson & Fields;
  return { source: JSON.stringify(rebuilt), present: [], tokens: known.tokens, bos: known.bos };
}

/** The class, without the ending `Fast` that older versions gave it. A name that is not among {@link classes} means no rebuilding. */
function className({ source, config, model }: TokenizerFiles): string {
  const type = model.model_type;
  // The class that is registered for OLMo-2 reads tokenizer.json, and goes before what the directory says.
  if (type === "olmo2") return "TokenizersBackend";
  const named = config.tokenizer_class ?? model.tokenizer_class;
  if (typeof named !== "string") return type === "olmo" ? "GPTNeoXTokenizer" : "TokenizersBackend";
  const name = named.replace(/Fast$/, "");
  // LLaMA-3 and its kin name LLaMA-2's class, with a byte-level tokenizer.json, which then counts.
  return name === "LlamaTokenizer" && source.includes('"ByteLevel"') ? "TokenizersBackend" : name;
}
