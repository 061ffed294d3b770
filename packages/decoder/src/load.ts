import { type Device, full, randomNormal, type Weight } from "@lethe/tensor";
import { readText } from "#text";
import type { DecoderConfig } from "./config.ts";
import type { Decoder, DecoderParts } from "./decoder.ts";
import { folderOf, type ModelPlace, openModelCheckpoint, readConfig, readStopTokens } from "./directory.ts";
import { ConfigError } from "./errors.ts";
import { ignoredTensors } from "./shapes.ts";
import type { Text } from "./text/text.ts";
import { checkTied } from "./tied.ts";
import type { WeightShapes, WeightSources } from "./weight-sources.ts";
import { type ReadWeightsOptions, readWeights } from "./weights.ts";

/** How a model is loaded. */
export type LoadOptions = Pick<ReadWeightsOptions, "dtype">;

/** What there is to know of a family of models. */
export interface Family<C extends DecoderConfig = DecoderConfig, M extends Decoder<C> = Decoder<C>> {
  /** Values of `model_type` in `config.json`. */
  readonly modelTypes: readonly string[];
  /** Checks what `config.json` says. @throws {ConfigError} */
  config(raw: object, where?: string): C;
  /** Every weight's shape, by Hugging Face's name. */
  shapes(config: C): WeightShapes;
  /** Where weights lie in a checkpoint that names or arranges them in another way. */
  sources?(raw: object, config: C): WeightSources | undefined;
  create(parts: DecoderParts<C>): M;
}

/**
 * Loads a model from a directory in Hugging Face's format: `config.json`, `model.safetensors` or its shards, `tokenizer.json`. The
 * model belongs to the caller, who disposes of it.
 * @param place a path, a repository's name in the local Hugging Face cache, or what `httpFolder` and `filesFolder` give
 * @throws {ModelError} when the directory or its tensors are not a model's; {@link ConfigError} when `config.json` asks for what is not
 *   supported; `SafetensorsError` when a file is malformed
 */
export async function loadFamily<C extends DecoderConfig, M extends Decoder<C>>(
  device: Device,
  place: ModelPlace,
  family: Family<C, M>,
  options: LoadOptions = {},
): Promise<M> {
  const folder = await folderOf(place);
  const raw = await readConfig(folder);
  const where = `${folder.name}: config.json`;
  if (!family.modelTypes.includes(raw.model_type as string)) {
    const expected = family.modelTypes.map((type) => `"${type}"`).join(" or ");
    throw new ConfigError(`${where}: model_type is ${JSON.stringify(raw.model_type)}, expected ${expected}`);
  }
  const config = family.config(raw, where);
  const text = await readText(folder);
  const stopTokens = await readStopTokens(folder, raw);
  const checkpoint = await openModelCheckpoint(folder);
  try {
    await checkTied(checkpoint, config, where);
    const sources = family.sources?.(raw, config);
    const weights = await readWeights(device, checkpoint, family.shapes(config), {
      ...options,
      ignore: ignoredTensors(config),
      ...(sources && { sources }),
    });
    return family.create({ device, config, weights, text, stopTokens, origin: folder, label: folder.name });
  } finally {
    await checkpoint.close();
  }
}

/** Standard deviation of fresh weights. */
const std = 0.02;

/**
 * A model with fresh f32 weights: N(0, 0.02²), the projections that write to the residual stream scaled by 1/√(2L) (Radford et
 * al. 2019), norms at 1, biases at 0. Same seed, same weights. The model belongs to the caller, who disposes of it.
 * @param config Hugging Face's fields, of which the sizes are required
 * @throws {ConfigError} when the configuration is wrong or asks for what is not supported
 */
export function initFamily<C extends DecoderConfig, M extends Decoder<C>>(
  device: Device,
  config: object,
  seed: number,
  family: Family<C, M>,
  text?: Text,
): M {
  const checked = family.config(config);
  const residual = std / Math.sqrt(2 * checked.num_hidden_layers);
  const weights = new Map<string, Weight>();
  using _scope = device.scope("fresh weights");
  for (const [name, shape] of family.shapes(checked)) {
    const writes = /\.(o_proj|down_proj)\.weight$/.test(name);
    // Each weight has a stream of its own: the generator counts elements within one call.
    const options = { seed: seed * 65_536 + weights.size, std: writes ? residual : std };
    const constant = name.endsWith(".bias") ? 0 : 1;
    const weight = shape.length === 1 ? full(device, shape, constant) : randomNormal(device, shape, options);
    weights.set(name, weight.retain());
  }
  const stopTokens = [checked.eos_token_id ?? []].flat();
  return family.create({ device, config: checked, weights, text, stopTokens });
}
