import type { Folder } from "@lethe/tensor";
import { ModelError } from "../errors.ts";
import { chatTemplatesOf, renderChat } from "./chat.ts";
import { DecodeStream } from "./decode-stream.ts";
import { makeTokenizer } from "./make-tokenizer.ts";
import { specialTokens } from "./special-tokens.ts";
import type { Text } from "./text.ts";
import { classTokenizer } from "./tokenizer-class.ts";
import { readTokenizerFiles } from "./tokenizer-files.ts";

/**
 * The tokenizer of a model's directory; `undefined` when there is no `tokenizer.json`. It gives the same tokens and texts as
 * `AutoTokenizer` of `transformers` 5.23, which depend on more files than `tokenizer.json`: see `classTokenizer` and `specialTokens`.
 *
 * `clean_up_tokenization_spaces` is ignored, as `transformers` does for BPE tokenizers.
 * @throws {ModelError} when `tokenizer.json` or a file beside it is broken
 */
export async function readText(folder: Folder): Promise<Text | undefined> {
  const files = await readTokenizerFiles(folder);
  if (!files) return undefined;
  if (files.config.split_special_tokens === true)
    throw new ModelError(
      `${folder.name}: tokenizer_config.json: split_special_tokens is true, which is not supported; expected false`,
    );
  const { json, present, tokens, bos } = classTokenizer(files);
  const { named, added } = specialTokens(files, tokens, present);
  const tokenizer = await makeTokenizer(folder.name, { json, added, bos: bos ? named.bos_token : undefined });

  const encode: Text["encode"] = async (text, { special = true } = {}) => tokenizer.encode(text, special);
  const decode: Text["decode"] = (ids, { special = false } = {}) => tokenizer.decode(ids, !special);
  const chat = { name: folder.name, templates: chatTemplatesOf(files), tokens: named };
  const renderChatTemplate: Text["renderChatTemplate"] = (messages, options) => renderChat(chat, messages, options);
  return {
    encode,
    decode,
    decodeStream: (context) => DecodeStream.after({ decode, token: tokenizer.token }, context),
    renderChatTemplate,
    applyChatTemplate: async (messages, options) => encode(renderChatTemplate(messages, options), { special: false }),
  };
}
