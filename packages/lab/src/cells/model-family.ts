import { supportedFamily } from "@lethe/auto";
import { folderOf, type ModelPlace, readConfig } from "@lethe/decoder";
import type { ModelSizes } from "../subjects/subject.ts";
import type { TinyFamily } from "../tiny/tiny-models.ts";

/**
 * Reads a model's family from its config.json. It decides the model's data where no file is named.
 * @param model a directory, or a model's name on the Hugging Face Hub
 * @throws ModelError when there is none; ConfigError when its `model_type` is not supported
 */
export async function readModelFamily(model: ModelPlace): Promise<TinyFamily> {
  const { family } = await readFamily(model);
  return family.modelTypes.includes("llama") ? "llama" : "olmo";
}

/**
 * Reads a model's sizes from its config.json.
 * @throws ModelError when there is none; ConfigError when it is not supported or a field is wrong
 */
export async function readModelSizes(model: ModelPlace): Promise<ModelSizes> {
  const { family, config, where } = await readFamily(model);
  return family.config(config, where);
}

async function readFamily(model: ModelPlace) {
  const folder = await folderOf(model);
  const where = `${folder.name}: config.json`;
  const config = await readConfig(folder);
  return { family: supportedFamily(config, where), config, where };
}
