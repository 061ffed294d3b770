import type { BytePairEncoding } from "./byte-pair-encoding.ts";

const bos = "<s>";
const eos = "</s>";
const pad = "<pad>";

/** The special tokens. Their ids are their places in this list; the tokens of the byte pair encoding follow. */
export const specials = [bos, eos, pad] as const;

/** `tokenizer.json` in Hugging Face's form: byte-level BPE that puts `<s>` before every text, as LLaMA's tokenizers do. */
export function tokenizerJson({ tokens, merges }: BytePairEncoding): object {
  const byteLevel = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true };
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: specials.map((content, id) => ({
      id,
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })),
    normalizer: null,
    pre_tokenizer: byteLevel,
    post_processor: {
      type: "TemplateProcessing",
      single: [{ SpecialToken: { id: bos, type_id: 0 } }, { Sequence: { id: "A", type_id: 0 } }],
      pair: [
        { SpecialToken: { id: bos, type_id: 0 } },
        { Sequence: { id: "A", type_id: 0 } },
        { SpecialToken: { id: bos, type_id: 1 } },
        { Sequence: { id: "B", type_id: 1 } },
      ],
      special_tokens: { [bos]: { id: bos, ids: [specials.indexOf(bos)], tokens: [bos] } },
    },
    decoder: byteLevel,
    model: {
      type: "BPE",
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: Object.fromEntries([...specials, ...tokens].map((token, id) => [token, id])),
      merges,
    },
  };
}

/** `special_tokens_map.json`. */
export const specialTokensMap = { bos_token: bos, eos_token: eos, pad_token: pad } as const;

/** `tokenizer_config.json` for a model that takes `maxLength` tokens. */
export function tokenizerConfig(maxLength: number): object {
  return {
    ...specialTokensMap,
    clean_up_tokenization_spaces: false,
    model_max_length: maxLength,
    padding_side: "left",
    tokenizer_class: "PreTrainedTokenizerFast",
  };
}
