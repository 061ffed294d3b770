import type { Folder } from "@lethe/tensor";
import { readBytes } from "../directory.ts";
import { ModelError } from "../errors.ts";
import type { Text } from "./text.ts";

/**
 * The tokenizer of a model's directory; `undefined` where there is none. `tokenizer.json` alone decides, whether BOS is put
 * before a text included, as it does in `transformers` 5, which does not heed `add_bos_token` of `tokenizer_config.json` either.
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
  return {
    encode: async (text, { special = true } = {}) =>
      (await tokenizer.encode(text, null, { addSpecialTokens: special })).getIds(),
    decode: (ids, { special = false } = {}) => tokenizer.decode([...ids], !special),
  };
}
