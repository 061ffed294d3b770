import { supportedFamily } from "@lethe/auto";
import { folderOf, readConfig } from "@lethe/decoder";
import type { ModelKind } from "@lethe/unlearn";
import { z } from "zod";
import { ExperimentError } from "../errors.ts";
import type { TinyFamily } from "../tiny/tiny-models.ts";

const width = z.int().positive();

/** A model below this width needs larger learning rates: 5e-4 destroys a 7B model, and 1e-5 changes nothing in a tiny one. */
const TINY_WIDTH = 512;

/**
 * Reads a model's family and kind from its config.json. The family decides its data where no file is named; the kind decides how it
 * is trained.
 * @param model a directory, or a repository's name in the local Hugging Face cache
 * @throws ModelError when there is none; ConfigError when its `model_type` is not supported; ExperimentError when it has no width
 */
export async function readModelKind(model: string): Promise<{ readonly family: TinyFamily; readonly kind: ModelKind }> {
  const folder = await folderOf(model);
  const config = await readConfig(folder);
  const where = `${folder.name}: config.json`;
  const { modelTypes } = supportedFamily(config, where);
  // An original OLMo checkpoint calls its width d_model.
  const { data } = width.safeParse(config.hidden_size ?? config.d_model);
  if (data === undefined)
    throw new ExperimentError(`${where}: expected the model's width as "hidden_size" or "d_model".`);
  const family = modelTypes.includes("llama") ? "llama" : "olmo";
  return { family, kind: data < TINY_WIDTH ? `tiny-${family}` : "released" };
}
