import { supportedFamily } from "@lethe/auto";
import { folderOf, readConfig } from "@lethe/decoder";
import { z } from "zod";
import type { TinyFamily } from "../tiny/tiny-models.ts";
import { ExperimentError } from "./errors.ts";

/** What decides a model's data and its training recipe where nobody says otherwise. */
export interface ModelKind {
  readonly family: TinyFamily;
  readonly width: number;
}

const width = z.int().positive();

/**
 * Reads a model's family and width from its config.json.
 * @param model a directory, or a repository's name in the local Hugging Face cache
 * @throws ModelError when there is none; ConfigError when its `model_type` is not supported; ExperimentError when it has no width
 */
export async function readModelKind(model: string): Promise<ModelKind> {
  const folder = await folderOf(model);
  const config = await readConfig(folder);
  const where = `${folder.name}: config.json`;
  const { modelTypes } = supportedFamily(config, where);
  // An original OLMo checkpoint calls its width d_model.
  const { data } = width.safeParse(config.hidden_size ?? config.d_model);
  if (data === undefined)
    throw new ExperimentError(`${where}: expected the model's width as "hidden_size" or "d_model".`);
  return { family: modelTypes.includes("llama") ? "llama" : "olmo", width: data };
}
