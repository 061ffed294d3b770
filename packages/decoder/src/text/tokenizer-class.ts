import type { AddedToken, Fields, TokenizerFiles, TokenizerJson } from "./tokenizer-files.ts";

/** A tokenizer class of `transformers` that does more than read `tokenizer.json`. */
interface TokenizerClass {
  /** Its default special tokens, by role. */
  readonly tokens: Readonly<Record<string, string>>;
  /** The parts that it replaces in `tokenizer.json`. The vocabulary and the merges stay. */
  rebuild(config: Fields): Record<"model" | "normalizer" | "pre_tokenizer" | "decoder", object | null>;
  /** Whether BOS comes before a text. Default: as in `tokenizer.json`. */
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
/** Pieces to text: ▁ is a space, `<0xNN>` a byte; with `strip` the space that was put before the text is removed. */
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
 * The classes of `transformers` 5.23 that LLaMA and OLMo directories name and that build their tokenizer from vocabulary and merges
 * alone. Similar classes of other models (such as `Qwen2Tokenizer`) are not followed: their `tokenizer.json` is used, which holds what
 * such a class builds.
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

/** A tokenizer as its class in `transformers` builds it, before special tokens are added. */
export interface ClassTokenizer {
  /** In the form of `tokenizer.json`. */
  readonly json: TokenizerJson;
  /** The added tokens that are already in it. */
  readonly present: readonly AddedToken[];
  /** Default special tokens of the class, by role. */
  readonly tokens: Readonly<Record<string, string>>;
  readonly bos: boolean | undefined;
}

/**
 * The tokenizer that `AutoTokenizer` of `transformers` 5.23 builds for a directory. Most classes use `tokenizer.json` as it is, with its
 * post-processor: with a `tokenizer.json`, every class ignores `add_bos_token` and `add_eos_token` of `tokenizer_config.json`. Some
 * classes replace everything but vocabulary and merges.
 */
export function classTokenizer(files: TokenizerFiles): ClassTokenizer {
  const { json, config } = files;
  const name = className(files);
  const known = Object.hasOwn(classes, name) ? classes[name] : undefined;
  // The classes build BPE only, which LLaMA and OLMo use.
  if (!known || json.model.type !== "BPE")
    return { json, present: json.added_tokens ?? [], tokens: {}, bos: undefined };
  const { model, ...parts } = known.rebuild(config);
  const rebuilt = {
    version: "1.0",
    added_tokens: [],
    ...parts,
    post_processor: known.bos === undefined ? (json.post_processor ?? null) : null,
    model: { type: "BPE", ...model, vocab: json.model.vocab, merges: json.model.merges ?? [] },
  } satisfies TokenizerJson & Fields;
  return { json: rebuilt, present: [], tokens: known.tokens, bos: known.bos };
}

/** The name of the class, without the ending `Fast` of older versions. A name outside {@link classes} means `tokenizer.json` as it is. */
function className({ source, config, model }: TokenizerFiles): string {
  const type = model.model_type;
  // For OLMo-2 a class is registered that reads tokenizer.json; it overrides the directory.
  if (type === "olmo2") return "TokenizersBackend";
  const named = config.tokenizer_class ?? model.tokenizer_class;
  if (typeof named !== "string") return type === "olmo" ? "GPTNeoXTokenizer" : "TokenizersBackend";
  const name = named.replace(/Fast$/, "");
  // LLaMA-3 and related models name LLaMA-2's class but have a byte-level tokenizer.json, which is then used.
  return name === "LlamaTokenizer" && source.includes('"ByteLevel"') ? "TokenizersBackend" : name;
}
