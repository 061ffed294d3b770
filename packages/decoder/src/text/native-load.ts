import type { TokenToAdd } from "./special-tokens.ts";

/** What the native library makes a tokenizer from. */
export interface NativeFiles {
  /** The text of a `tokenizer.json`. */
  readonly source: string;
  readonly added: readonly TokenToAdd[];
  /** The token that is put before a text, in place of what the post-processor adds. */
  readonly bos: string | undefined;
}

/** A tokenizer of the native library, in this process or apart. */
export interface NativeTokenizer {
  encode(text: string, special: boolean): Promise<number[]>;
  decode(ids: readonly number[], skipSpecial: boolean): Promise<string>;
  token(id: number): string | null;
}

/** Makes the library's tokenizer. The text of this function also runs in the other process: it uses nothing from outside. */
export function load({ AddedToken, templateProcessing, Tokenizer }: typeof import("tokenizers"), files: NativeFiles) {
  const tokenizer = Tokenizer.fromString(files.source);
  tokenizer.addAddedTokens(
    files.added.map(
      (token) =>
        new AddedToken(token.content, token.special, {
          normalized: token.normalized,
          singleWord: token.single_word,
          leftStrip: token.lstrip,
          rightStrip: token.rstrip,
        }),
    ),
  );
  // They may be on in the file; `transformers` leaves both to the caller.
  tokenizer.disableTruncation();
  tokenizer.disablePadding();
  if (files.bos)
    tokenizer.setPostProcessor(
      templateProcessing(`${files.bos} $A`, null, [[files.bos, tokenizer.tokenToId(files.bos)!]]),
    );
  return tokenizer;
}
