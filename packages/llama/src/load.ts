import {
  ConfigError,
  folderOf,
  type ModelPlace,
  type ReadWeightsOptions,
  readConfig,
  readStopTokens,
  readText,
  readWeights,
} from "@lethe/decoder";
import { type Device, openCheckpointIn } from "@lethe/tensor";
import { type LlamaConfigInput, llamaConfig } from "./config.ts";
import { Llama } from "./llama.ts";
import { ignored, weightShapes } from "./weights.ts";

/** How a model is loaded. */
export type LoadOptions = Pick<ReadWeightsOptions, "dtype">;

/**
 * Loads a LLaMA from a directory in Hugging Face's format: `config.json`, `model.safetensors` or its shards, `tokenizer.json`. The
 * model belongs to the caller, who disposes of it.
 * @param place a path, or what `httpFolder` and `filesFolder` give
 * @throws {ModelError} when the directory or its tensors are not a model's; {@link ConfigError} when `config.json` asks for what is not
 *   supported; `SafetensorsError` when a file is malformed
 */
export async function loadLlama(device: Device, place: ModelPlace, options: LoadOptions = {}): Promise<Llama> {
  const folder = await folderOf(place);
  const raw = await readConfig(folder);
  const where = `${folder.name}: config.json`;
  if (raw.model_type !== "llama")
    throw new ConfigError(`${where}: model_type is ${JSON.stringify(raw.model_type)}, expected "llama"`);
  const config = llamaConfig(raw as LlamaConfigInput, where);
  const text = await readText(folder);
  const stopTokens = await readStopTokens(folder, raw);
  const checkpoint = await openCheckpointIn(folder);
  try {
    const weights = await readWeights(device, checkpoint, weightShapes(config), {
      ...options,
      ignore: ignored(config),
    });
    return new Llama({ device, config, weights, text, stopTokens, origin: folder, label: folder.name });
  } finally {
    await checkpoint.close();
  }
}
