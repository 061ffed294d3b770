import type { TokenToAdd } from "./special-tokens.ts";

/** What the native library makes a tokenizer from. */
export interface NativeFiles {
  /** The text of a `tokenizer.json`. */
  readonly source: string;
  readonly added: readonly TokenToAdd[];
  /** The token that is put before a text, in place of what the post-processor adds. */
  readonly bos: string | undefined;
}

/** Makes the library's tokenizer. The text of this function runs in another process: it uses nothing from outside. */
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
