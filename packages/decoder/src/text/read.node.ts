import type { Folder } from "@lethe/tensor";
import { ModelError } from "../errors.ts";
import { chatTemplatesOf, renderChat } from "./chat.ts";
import { DecodeStream } from "./decode-stream.ts";
import { specialTokens } from "./special-tokens.ts";
import type { Text } from "./text.ts";
import { classTokenizer } from "./tokenizer-class.ts";
import { brokenTokenizer, readTokenizerFiles } from "./tokenizer-files.ts";

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
  const { source, present, tokens, bos } = classTokenizer(files);
  const { named, added } = specialTokens(files, tokens, present);
  // The native library is loaded only when there is a tokenizer.
  const { AddedToken, templateProcessing, Tokenizer } = await import("tokenizers");
  let tokenizer: InstanceType<typeof Tokenizer>;
  try {
    tokenizer = Tokenizer.fromString(source);
    tokenizer.addAddedTokens(
      added.map(
        ({ content, special, normalized, single_word: singleWord, lstrip: leftStrip, rstrip: rightStrip }) =>
          new AddedToken(content, special, { normalized, singleWord, leftStrip, rightStrip }),
      ),
    );
  } catch (cause) {
    throw brokenTokenizer(folder.name, cause);
  }
  // They may be on in the file; `transformers` leaves both to the caller.
  tokenizer.disableTruncation();
  tokenizer.disablePadding();
  const first = bos ? named.bos_token : undefined;
  if (first)
    tokenizer.setPostProcessor(templateProcessing(`${first} $A`, null, [[first, tokenizer.tokenToId(first)!]]));

  const encode: Text["encode"] = async (text, { special = true } = {}) =>
    (await tokenizer.encode(text, null, { addSpecialTokens: special })).getIds();
  const decode: Text["decode"] = (ids, { special = false } = {}) => tokenizer.decode([...ids], !special);
  const chat = { name: folder.name, templates: chatTemplatesOf(files), tokens: named };
  const renderChatTemplate: Text["renderChatTemplate"] = (messages, options) => renderChat(chat, messages, options);
  return {
    encode,
    decode,
    decodeStream: (context) => DecodeStream.after({ decode, token: (id) => tokenizer.idToToken(id) }, context),
    renderChatTemplate,
    applyChatTemplate: async (messages, options) => encode(renderChatTemplate(messages, options), { special: false }),
  };
}
