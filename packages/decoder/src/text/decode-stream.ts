/** The part of a tokenizer that a stream uses. */
export interface TokenDecoder {
  decode(ids: readonly number[]): Promise<string>;
  /** The token as it stands in the vocabulary. */
  token(id: number): string | null;
}

/** A byte of a SentencePiece-style vocabulary. */
const byteToken = /^<0x[0-9A-F]{2}>$/;
/** The text of bytes that are not a character, or not yet a whole one. */
const replacement = "\uFFFD";

/**
 * Text that grows token by token. Returned text never changes later, and all pieces together are the text of all tokens together. Text
 * is held back while a later token may change it: within a character, and within a run of byte tokens, because one wrong byte makes
 * every byte of its run unreadable.
 *
 * A step decodes only the last few tokens: those that are held back, and before them those returned last. A tokenizer may drop the
 * first space of a text; because of the latter, it does not drop a space in the middle.
 */
export class DecodeStream {
  readonly #tokens: TokenDecoder;
  #window: number[];
  /** How many tokens of the window, and how many characters of its text, have been returned. */
  #returned: { tokens: number; text: number };

  private constructor(tokens: TokenDecoder, window: number[], text: number) {
    this.#tokens = tokens;
    this.#window = window;
    this.#returned = { tokens: window.length, text };
  }

  /** @param context the tokens before the stream. If they end within a character, the stream begins with that character. */
  static async after(tokens: TokenDecoder, context: readonly number[]): Promise<DecodeStream> {
    const text = await tokens.decode(context);
    return new DecodeStream(tokens, [...context], text.replace(/\uFFFD+$/, "").length);
  }

  /** The text that has become certain with this token; often empty. */
  async step(id: number): Promise<string> {
    this.#window.push(id);
    if (!(await this.#endsRuns(id))) return "";
    const text = await this.#tokens.decode(this.#window);
    if (text.endsWith(replacement)) return "";
    const piece = text.slice(this.#returned.text);
    const last = this.#window.slice(this.#returned.tokens);
    const lastText = (await this.#tokens.decode(last)).length;
    // Tokens without text cannot stand before the next ones in the window.
    if (lastText > 0) this.#window = last;
    this.#returned = { tokens: this.#window.length, text: lastText || text.length };
    return piece;
  }

  /** The text that was held back. The stream ends with it. */
  async end(): Promise<string> {
    return (await this.#tokens.decode(this.#window)).slice(this.#returned.text);
  }

  /** Whether the text before this token is final: every token with text ends a run of bytes, unless it is a byte itself. */
  async #endsRuns(id: number): Promise<boolean> {
    return !byteToken.test(this.#tokens.token(id) ?? "") && (await this.#tokens.decode([id])) !== "";
  }
}
