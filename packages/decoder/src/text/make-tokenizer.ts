import { excerpt } from "@lethe/tensor";
import { nativeTokenizer, noNativeLibrary } from "#native";
import { ModelError, ModelUseError } from "../errors.ts";
import { knownParts } from "./known-parts.ts";
import { portableTokenizer } from "./portable/portable.ts";
import type { Tokenizer, TokenizerParts } from "./tokenizer.ts";
import { brokenTokenizer } from "./tokenizer-files.ts";

/**
 * The longest text that is encoded at once. In a longer one, a run of white space ends the native library's process: it stops a search after
 * ten million steps, and does not expect that itself.
 */
const longestText = 2 ** 22;

/**
 * A tokenizer in JavaScript where it is made of known parts; the native library's otherwise, in a process of its own.
 * @param name of the directory, for errors
 * @throws {ModelError} when it cannot be loaded
 */
export async function makeTokenizer(name: string, parts: TokenizerParts): Promise<Tokenizer> {
  let tokenizer: Tokenizer;
  try {
    tokenizer = await choose(name, parts);
  } catch (cause) {
    throw cause instanceof ModelError ? cause : brokenTokenizer(name, cause);
  }
  const failed = (what: string) => (cause: Error) => {
    throw new ModelError(`${name}: tokenizer.json cannot ${what} this (${excerpt(cause.message)})`, { cause });
  };
  return {
    async encode(text, special) {
      if (text.length <= longestText) return tokenizer.encode(text, special).catch(failed("encode"));
      throw new ModelUseError(
        `${name}: a text of ${text.length} characters was given; at most ${longestText} are encoded at once. Give it in parts.`,
      );
    },
    decode: (ids, skipSpecial) => tokenizer.decode(ids, skipSpecial).catch(failed("decode")),
    token: tokenizer.token,
  };
}

async function choose(name: string, parts: TokenizerParts): Promise<Tokenizer> {
  const known = knownParts(parts.json);
  if (!("unknown" in known)) return portableTokenizer(known, parts);
  const { normalizer, decoder } = parts.json as { normalizer?: unknown; decoder?: unknown };
  if (lengthening([normalizer, decoder]) > 2) throw new Error("it replaces texts by longer ones again and again");
  const missing = noNativeLibrary();
  if (!missing) return nativeTokenizer(parts);
  throw new ModelError(
    `${name}: tokenizer.json: ${known.unknown} is not one of those that Lethe knows, so the native tokenizer library has to read it, and ${missing}. ` +
      "Give a tokenizer of your own with { tokenizer }, or { tokenizer: null } to work with token ids.",
  );
}

/** How many replacements make a text longer. A few that follow each other make it as long as memory, also in another process. */
function lengthening(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  const { type, pattern, content } = value as { type?: unknown; pattern?: { String?: unknown }; content?: unknown };
  const length = (text: unknown) => (typeof text === "string" ? text.length : 1);
  const grows = type === "Replace" && length(content) > length(pattern?.String);
  return Number(grows) + Object.values(value).reduce((sum: number, part) => sum + lengthening(part), 0);
}
