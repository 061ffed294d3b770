import type { ChatMessage, ChatOptions } from "./chat.ts";
import type { DecodeStream } from "./decode-stream.ts";

/** Text to tokens and back, as `transformers` does it with the same directory. */
export interface Text {
  /** @param options `special`: with the tokens that the tokenizer puts around a text, such as BOS; default true */
  encode(text: string, options?: { readonly special?: boolean }): Promise<number[]>;
  /** @param options `special`: special tokens are spelt out; default false */
  decode(ids: readonly number[], options?: { readonly special?: boolean }): Promise<string>;
  /**
   * Text that grows token by token.
   * @param context what the new tokens come after: its text is not given again
   */
  decodeStream(context: readonly number[]): Promise<DecodeStream>;
  /**
   * A conversation as the model's chat template writes it.
   * @throws {ModelUseError} when there is no such template, or when the template refuses the messages
   */
  renderChatTemplate(messages: readonly ChatMessage[], options?: ChatOptions): string;
  /**
   * Tokens of a conversation. No BOS is put before what the template writes, which has its own.
   * @throws {ModelUseError} as {@link Text.renderChatTemplate}
   */
  applyChatTemplate(messages: readonly ChatMessage[], options?: ChatOptions): Promise<number[]>;
}
