/** Text to tokens and back. */
export interface Text {
  /** @param options `special`: with the tokens that the tokenizer puts around a text, such as BOS; default true */
  encode(text: string, options?: { readonly special?: boolean }): Promise<number[]>;
  /** @param options `special`: special tokens are spelt out; default false */
  decode(ids: readonly number[], options?: { readonly special?: boolean }): Promise<string>;
}
