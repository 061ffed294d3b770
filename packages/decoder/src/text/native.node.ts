import { excerpt } from "@lethe/tensor";
import { ModelError, ModelUseError } from "../errors.ts";
import { hasKnownParts } from "./known-parts.ts";
import { loadApart } from "./native-apart.node.ts";
import { load, type NativeFiles, type NativeTokenizer } from "./native-load.ts";
import { brokenTokenizer, type TokenizerJson } from "./tokenizer-files.ts";

/**
 * The longest text that is encoded at once. In a longer one, a run of white space ends the process: the library stops a search after ten
 * million steps, and does not expect that itself.
 */
const longestText = 2 ** 22;

/**
 * A tokenizer that cannot end the process: if it has other than {@link hasKnownParts known parts}, it runs in a process of its own.
 * @param name of the directory, for errors
 * @throws {ModelError} when it cannot be loaded
 */
export async function nativeTokenizer(
  name: string,
  json: TokenizerJson,
  more: Omit<NativeFiles, "source">,
): Promise<NativeTokenizer> {
  // What was checked is what is loaded: a field that stands twice in the file could be read in two ways.
  const files = { ...more, source: JSON.stringify(json) };
  let native: NativeTokenizer;
  try {
    if (lengthening([json.normalizer, json.decoder]) > 2)
      throw new Error("it replaces texts by longer ones again and again");
    native = hasKnownParts(json) ? await loadHere(files) : await loadApart(files);
  } catch (cause) {
    throw brokenTokenizer(name, cause);
  }
  const failed = (what: string) => (cause: Error) => {
    throw new ModelError(`${name}: tokenizer.json cannot ${what} this (${excerpt(cause.message)})`, { cause });
  };
  return {
    async encode(text, special) {
      if (text.length <= longestText) return native.encode(text, special).catch(failed("encode"));
      throw new ModelUseError(
        `${name}: a text of ${text.length} characters was given; at most ${longestText} are encoded at once. Give it in parts.`,
      );
    },
    decode: (ids, skipSpecial) => native.decode(ids, skipSpecial).catch(failed("decode")),
    token: native.token,
  };
}

async function loadHere(files: NativeFiles): Promise<NativeTokenizer> {
  // The native library is loaded only when there is a tokenizer.
  const tokenizer = load(await import("tokenizers"), files);
  return {
    encode: async (text, special) => (await tokenizer.encode(text, null, { addSpecialTokens: special })).getIds(),
    decode: (ids, skipSpecial) => tokenizer.decode([...ids], skipSpecial),
    token: (id) => tokenizer.idToToken(id),
  };
}

/** How many replacements make a text longer. A few that follow each other make it as long as memory, also in another process. */
function lengthening(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  const { type, pattern, content } = value as { type?: unknown; pattern?: { String?: unknown }; content?: unknown };
  const length = (text: unknown) => (typeof text === "string" ? text.length : 1);
  const grows = type === "Replace" && length(content) > length(pattern?.String);
  return Number(grows) + Object.values(value).reduce((sum: number, part) => sum + lengthening(part), 0);
}
