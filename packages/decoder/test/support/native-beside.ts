import * as library from "tokenizers";
import { knownParts } from "../../src/text/known-parts.ts";
import { load } from "../../src/text/native-load.ts";
import { portableTokenizer } from "../../src/text/portable/portable.ts";
import type { Tokenizer, TokenizerParts } from "../../src/text/tokenizer.ts";

/** Whether a `tokenizer.json` is made of known parts alone. */
export function hasKnownParts(json: object): boolean {
  return !("unknown" in knownParts(json as TokenizerParts["json"]));
}

/** The native library's tokenizer, in this process, which it can end: only for parts that are known. */
export function native({ json, added, bos }: TokenizerParts): Tokenizer {
  const tokenizer = load(library, { source: JSON.stringify(json), added, bos });
  return {
    encode: async (text, special) => (await tokenizer.encode(text, null, { addSpecialTokens: special })).getIds(),
    decode: (ids, skipSpecial) => tokenizer.decode([...ids], skipSpecial),
    token: (id) => tokenizer.idToToken(id),
  };
}

/** The tokenizer in JavaScript, and the native library's beside it. */
export function both(parts: TokenizerParts): { readonly ours: Tokenizer; readonly theirs: Tokenizer } {
  const known = knownParts(parts.json);
  if ("unknown" in known) throw new Error(`${known.unknown} has an unknown part`);
  return { ours: portableTokenizer(known, parts), theirs: native(parts) };
}

/** What a tokenizer makes of a text, or the word "error". */
export async function made(tokenizer: Tokenizer, text: string): Promise<unknown> {
  try {
    const ids = await tokenizer.encode(text, true);
    const plain = await tokenizer.encode(text, false);
    return { ids, plain, ...(await decoded(tokenizer, ids)) };
  } catch {
    return "error";
  }
}

export async function decoded(tokenizer: Tokenizer, ids: readonly number[]) {
  return { skipped: await tokenizer.decode(ids, true), spelt: await tokenizer.decode(ids, false) };
}
