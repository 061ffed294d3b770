/** What a stream needs of a tokenizer. */
export interface TokenDecoder {
  decode(ids: readonly number[]): Promise<string>;
  /** The token as the vocabulary has it. */
  token(id: number): string | null;
}

/** A byte of a SentencePiece-style vocabulary. */
const byteToken = /^<0x[0-9A-F]{2}>$/;
/** What bytes decode to that are no character, or not yet. */
const replacement = "\uFFFD";

/**
 * Text that grows token by token: what is given out is never taken back, and all of it together is the text of all tokens
 * together. It is held back while a later token may change it: within a character, and within a run of byte tokens, because one
 * wrong byte makes every byte of its run unreadable.
 *
 * Only the last few tokens are decoded at a step, not the whole text: those given out last, so that what a tokenizer does to a
 * text's beginning (drop its first space) is done to them, and those held back.
 */
export class DecodeStream {
  readonly #tokens: TokenDecoder;
  #window: number[];
  /** How many tokens of the window, and how much of its text, are given out. */
  #given: { tokens: number; text: number };

  private constructor(tokens: TokenDecoder, window: number[], text: number) {
    this.#tokens = tokens;
    this.#window = window;
    this.#given = { tokens: window.length, text };
  }

  /** @param context what the stream goes on from; a character that it breaks off in is the stream's first */
  static async after(tokens: TokenDecoder, context: readonly number[]): Promise<DecodeStream> {
    const text = await tokens.decode(context);
    return new DecodeStream(tokens, [...context], text.replace(/\uFFFD+$/, "").length);
  }

  /** The text that is certain now and was not before; often empty. */
  async step(id: number): Promise<string> {
    this.#window.push(id);
    if (!(await this.#endsRuns(id))) return "";
    const text = await this.#tokens.decode(this.#window);
    if (text.endsWith(replacement)) return "";
    const piece = text.slice(this.#given.text);
    const last = this.#window.slice(this.#given.tokens);
    const lastText = (await this.#tokens.decode(last)).length;
    // Tokens without text of their own would not be the beginning that the next ones come after.
    if (lastText > 0) this.#window = last;
    this.#given = { tokens: this.#window.length, text: lastText || text.length };
    return piece;
  }

  /** What was held back. The stream ends with it. */
  async end(): Promise<string> {
    return (await this.#tokens.decode(this.#window)).slice(this.#given.text);
  }

  /** Whether no later token changes what came before this one: so with any that has text, but for bytes. */
  async #endsRuns(id: number): Promise<boolean> {
    return !byteToken.test(this.#tokens.token(id) ?? "") && (await this.#tokens.decode([id])) !== "";
  }
}
