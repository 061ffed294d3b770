import type { ChatMessage, ChatOptions } from "./chat.ts";
import type { DecodeStream } from "./decode-stream.ts";

/** Text to tokens and back, as `transformers` does with the same directory. */
export interface Text {
  /** @param options `special`: adds the tokens that the tokenizer puts around a text, such as BOS; default true */
  encode(text: string, options?: { readonly special?: boolean }): Promise<number[]>;
  /** @param options `special`: special tokens are written out; default false */
  decode(ids: readonly number[], options?: { readonly special?: boolean }): Promise<string>;
  /**
   * Text that grows token by token.
   * @param context the tokens before the new ones; their text is not returned
   */
  decodeStream(context: readonly number[]): Promise<DecodeStream>;
  /**
   * The text of a conversation, by the model's chat template.
   * @throws {ModelUseError} when there is no such template, or when the template refuses the messages
   */
  renderChatTemplate(messages: readonly ChatMessage[], options?: ChatOptions): string;
  /**
   * The tokens of a conversation. No BOS is added: the template writes its own.
   * @throws {ModelUseError} as {@link Text.renderChatTemplate}
   */
  applyChatTemplate(messages: readonly ChatMessage[], options?: ChatOptions): Promise<number[]>;
}
