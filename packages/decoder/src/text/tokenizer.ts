import type { TokenToAdd } from "./special-tokens.ts";
import type { TokenizerJson } from "./tokenizer-files.ts";

/** Token ids of texts, and texts of token ids. */
export interface Tokenizer {
  /** @param special whether the post-processor adds its tokens */
  encode(text: string, special: boolean): Promise<number[]>;
  decode(ids: readonly number[], skipSpecial: boolean): Promise<string>;
  /** The token as it stands in the vocabulary. */
  token(id: number): string | null;
}

/** What a tokenizer is made from. */
export interface TokenizerParts {
  readonly json: TokenizerJson;
  readonly added: readonly TokenToAdd[];
  /** The token that is put before a text, in place of what the post-processor adds. */
  readonly bos: string | undefined;
}
