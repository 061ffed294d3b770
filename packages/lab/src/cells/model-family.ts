import { supportedFamily } from "@lethe/auto";
import { folderOf, readConfig } from "@lethe/decoder";
import type { TinyFamily } from "../tiny/tiny-models.ts";

/**
 * Reads a model's family from its config.json. It decides the model's data where no file is named.
 * @param model a directory, or a repository's name in the local Hugging Face cache
 * @throws ModelError when there is none; ConfigError when its `model_type` is not supported
 */
export async function readModelFamily(model: string): Promise<TinyFamily> {
  const folder = await folderOf(model);
  const { modelTypes } = supportedFamily(await readConfig(folder), `${folder.name}: config.json`);
  return modelTypes.includes("llama") ? "llama" : "olmo";
}
