import type { Folder } from "@lethe/tensor";
import { readBytes, readJson } from "../directory.ts";
import { ModelError } from "../errors.ts";
import type { Text } from "./text.ts";

/**
 * The tokenizer of a model's directory, by `tokenizer.json`; `undefined` where there is none. Whether BOS is put before a text is
 * what `add_bos_token` of `tokenizer_config.json` says or, where it says nothing, what `tokenizer.json` does by itself.
 * @throws {ModelError} when `tokenizer.json` is not one.
 */
export async function readText(folder: Folder): Promise<Text | undefined> {
  const bytes = await readBytes(folder, "tokenizer.json");
  if (!bytes) return undefined;
  // The native library is loaded only where there is something for it to do.
  const { Tokenizer } = await import("tokenizers");
  let tokenizer: InstanceType<typeof Tokenizer>;
  try {
    tokenizer = Tokenizer.fromString(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw new ModelError(`${folder.name}: tokenizer.json cannot be read (${(cause as Error).message})`, { cause });
  }
  const config = (await readJson(folder, "tokenizer_config.json")) ?? {};
  const bosToken = typeof config.bos_token === "string" ? config.bos_token : contentOf(config.bos_token);
  const bos = bosToken === undefined ? null : tokenizer.tokenToId(bosToken);
  return {
    async encode(text, { special = true } = {}) {
      const ids = (await tokenizer.encode(text, null, { addSpecialTokens: special })).getIds();
      if (!special || bos === null || typeof config.add_bos_token !== "boolean") return ids;
      if (config.add_bos_token) return ids[0] === bos ? ids : [bos, ...ids];
      // Only the one that the post-processor put there goes; a BOS spelt out in the text stays.
      const plain = (await tokenizer.encode(text, null, { addSpecialTokens: false })).getIds();
      return ids[0] === bos && plain[0] !== bos ? ids.slice(1) : ids;
    },
    decode: (ids, { special = false } = {}) => tokenizer.decode([...ids], !special),
  };
}

/** Some configurations spell a token out as an object. */
function contentOf(token: unknown): string | undefined {
  if (typeof token !== "object" || token === null || !("content" in token)) return undefined;
  return typeof token.content === "string" ? token.content : undefined;
}
