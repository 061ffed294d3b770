import type { Folder } from "@lethe/tensor";
import { ModelError } from "../errors.ts";
import { chatTemplatesOf, renderChat } from "./chat.ts";
import { DecodeStream } from "./decode-stream.ts";
import { specialTokens } from "./special-tokens.ts";
import type { Text } from "./text.ts";
import { asClassHasIt } from "./tokenizer-class.ts";
import { brokenTokenizer, readTokenizerFiles } from "./tokenizer-files.ts";

/**
 * The tokenizer of a model's directory; `undefined` where it has no `tokenizer.json`. It gives what `AutoTokenizer` of `transformers` 5.23
 * gives for the directory, which `tokenizer.json` alone does not decide: see {@link asClassHasIt} and {@link specialTokens}.
 *
 * `clean_up_tokenization_spaces` changes nothing: `transformers` ignores it for BPE, which is what LLaMA and OLMo have.
 * @throws {ModelError} when `tokenizer.json` or a file beside it is broken
 */
export async function readText(folder: Folder): Promise<Text | undefined> {
  const files = await readTokenizerFiles(folder);
  if (!files) return undefined;
  if (files.config.split_special_tokens === true)
    throw new ModelError(
      `${folder.name}: tokenizer_config.json: split_special_tokens is true, which is not supported; expected false`,
    );
  const { source, present, tokens, bos } = asClassHasIt(files);
  const { named, added } = specialTokens(files, tokens, present);
  // The native library is loaded only where there is something for it to do.
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
  // Whoever trained the tokenizer may have left them on; `transformers` leaves both to the caller.
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
