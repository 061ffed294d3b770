import type { KnownParts, KnownProcessor } from "../known-parts.ts";
import type { TokenToAdd } from "../special-tokens.ts";
import type { Tokenizer, TokenizerParts } from "../tokenizer.ts";
import { AddedTokens } from "./added-tokens.ts";
import { decoderOf } from "./decoders.ts";
import { Merges } from "./merges.ts";
import { normalizerOf } from "./normalizers.ts";
import { preTokenizerOf } from "./pre-tokenizers.ts";

/** What the post-processor makes of the tokens of a text. */
type PostProcess = (tokens: readonly number[], special: boolean) => readonly number[];

/** A tokenizer in JavaScript, for Node and browsers. It gives the tokens and texts that the native library gives. */
export function portableTokenizer(parts: KnownParts, { json, added, bos }: TokenizerParts): Tokenizer {
  const vocabulary = new Map(Object.entries(parts.model.vocab).map(([token, id]) => [id, token]));
  const merges = new Merges(parts.model);
  const normalize = parts.normalizer ? normalizerOf(parts.normalizer) : (text: string) => text;
  const tokens = new AddedTokens(parts.model.vocab, [...(json.added_tokens ?? []).map(complete), ...added], normalize);
  const cut = parts.pre_tokenizer ? preTokenizerOf(parts.pre_tokenizer) : undefined;
  const decode = parts.decoder ? decoderOf(parts.decoder) : (texts: readonly string[]) => [texts.join(" ")];
  const postProcess = bos ? beginningWith(tokens.id(bos)!) : postProcessorOf(parts.post_processor);
  const token = (id: number) => tokens.content(id) ?? vocabulary.get(id) ?? null;

  const words = (text: string, first: boolean): number[] =>
    (cut?.({ text, first }) ?? [{ text }]).flatMap((word) => merges.encode(word.text));
  const encode = (text: string): number[] =>
    tokens.inGiven(text).flatMap((given) => {
      if ("id" in given) return [given.id];
      return tokens
        .inNormalized(normalize(given.text))
        .flatMap((section) =>
          "id" in section ? [section.id] : words(section.text, given.start === 0 && section.start === 0),
        );
    });
  return {
    encode: async (text, special) => [...postProcess(encode(wellFormed(text)), special)],
    async decode(ids, skipSpecial) {
      const known = ids.map(token).filter((one) => one !== null);
      return decode(skipSpecial ? known.filter((one) => !tokens.isSpecial(one)) : known).join("");
    },
    token,
  };
}

/** A lone surrogate becomes �: UTF-8 has no such character. */
function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, "\uFFFD");
}

/** A token of `tokenizer.json`, with the values that absent fields stand for. */
function complete(token: NonNullable<TokenizerParts["json"]["added_tokens"]>[number]): TokenToAdd {
  const { content, special = false, single_word = false, lstrip = false, rstrip = false } = token;
  return { content, special, single_word, lstrip, rstrip, normalized: token.normalized ?? !special };
}

function beginningWith(bos: number): PostProcess {
  return (tokens, special) => (special ? [bos, ...tokens] : tokens);
}

function postProcessorOf(processor: KnownProcessor | null | undefined): PostProcess {
  const all = processor?.type === "Sequence" ? processor.processors : [processor];
  const template = all.find((one) => one?.type === "TemplateProcessing");
  // The others change nothing but offsets.
  if (!template) return (tokens) => tokens;
  return (tokens, special) =>
    template.single.flatMap((piece) => {
      if ("Sequence" in piece) return tokens;
      return special ? template.special_tokens[piece.SpecialToken.id]!.ids : [];
    });
}
