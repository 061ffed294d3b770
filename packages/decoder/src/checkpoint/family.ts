import { castInto, type Device, type FloatDType, full, quote, randomNormal } from "@lethe/tensor";
import { Decoder } from "../decoder.ts";
import { ConfigError } from "../errors.ts";
import { type Layout, type WeightShapes, weightShapes } from "../pass/layout.ts";
import type { ModelParts } from "../pass/model.ts";
import type { Text } from "../text/text.ts";
import type { DecoderConfig } from "./config.ts";
import type { ModelPlace } from "./directory.ts";
import { emptyWeights } from "./empty-weights.ts";
import type { WeightSources } from "./find-weights.ts";
import { type OpenOptions, openModel } from "./open-model.ts";
import { type ReadWeightsOptions, readWeights } from "./read-weights.ts";

/** How a model is loaded. */
export interface LoadOptions extends OpenOptions, Pick<ReadWeightsOptions, "dtype"> {}

/** How a family of models differs from others. C is its checked `config.json`, I the `config.json` that it reads. */
export interface FamilyRules<C extends DecoderConfig = DecoderConfig, I extends object = object> {
  /** Values of `model_type` in `config.json`. */
  readonly modelTypes: readonly string[];
  /** Checks `config.json`. @throws {ConfigError} */
  config(raw: I, where?: string): C;
  layout(config: C): Layout;
  /** Where a checkpoint keeps the weights, if it names or arranges its tensors in another way. */
  sources?(raw: object, config: C): WeightSources | undefined;
}

/** A family of models, and the ways to make a model of it. */
export interface Family<C extends DecoderConfig = DecoderConfig, I extends object = object> extends FamilyRules<C, I> {
  /** The shape of every weight by Hugging Face's name, in the order of the forward pass. Weights of linear layers are `[out, in]`. */
  shapes(config: C): WeightShapes;
  /** A model with the given weights. @throws {ModelUseError} when a weight is missing */
  create(parts: ModelParts<C>): Decoder<C>;
  /** Loads a model of this family; see {@link loadDecoder}. @throws {ConfigError} for another `model_type` */
  load(device: Device, place: ModelPlace, options?: LoadOptions): Promise<Decoder<C>>;
  /**
   * A model with fresh weights: N(0, 0.02²), the projections that write to the residual stream scaled by 1/√(2L) (Radford et
   * al. 2019), norms at 1, biases at 0. The same seed gives the same weights. The model belongs to the caller, who disposes of it.
   * @param config Hugging Face's fields; the sizes are required
   * @param dtype of all weights. Default: f32
   * @throws {ConfigError} when a field is wrong or not supported
   */
  init(device: Device, config: I, seed: number, text?: Text, dtype?: FloatDType): Decoder<C>;
  /**
   * A model whose weights have places and no values: to be filled, or, on a `sketchDevice`, to plan the memory of a model that is not loaded.
   * It belongs to the caller, who disposes of it.
   * @param config checked, see {@link FamilyRules.config}
   * @param dtype of each weight by its name
   */
  blank(device: Device, config: C, dtype: (name: string) => FloatDType, parts?: BlankParts): Decoder<C>;
}

/** What a {@link Family.blank} model has beside its weights. */
export type BlankParts = Pick<ModelParts<DecoderConfig>, "text" | "stopTokens" | "label" | "origin">;

/** Makes a family of its rules. */
export function defineFamily<C extends DecoderConfig, I extends object>(rules: FamilyRules<C, I>): Family<C, I> {
  const family: Family<C, I> = {
    ...rules,
    shapes: (config) => weightShapes(config, rules.layout(config)),
    create: (parts) => new Decoder(parts, rules.layout(parts.config)),
    load: (device, place, options) => {
      const choose = ({ model_type: type }: Readonly<Record<string, unknown>>, where: string) => {
        if (rules.modelTypes.includes(type as string)) return family;
        const expected = rules.modelTypes.map((type) => `"${type}"`).join(" or ");
        throw new ConfigError(`${where}: model_type is ${quote(type)}, expected ${expected}`);
      };
      return loadDecoder(device, place, choose, options);
    },
    init: (device, config, seed, text, dtype = "f32") => {
      const checked = rules.config(config);
      const stopTokens = [checked.eos_token_id ?? []].flat();
      const model = family.blank(device, checked, () => dtype, { text, stopTokens });
      writeFresh(model, seed);
      return model;
    },
    blank(device, config, dtype, parts) {
      const wanted = Array.from(
        family.shapes(config),
        ([name, shape]) => [name, { shape, dtype: dtype(name) }] as const,
      );
      return family.create({ ...parts, device, config, weights: emptyWeights(device, new Map(wanted)) });
    },
  };
  return family;
}

/**
 * Loads a model from a directory in Hugging Face's format: `config.json`, `model.safetensors` or its shards, `tokenizer.json`. The
 * model belongs to the caller, who disposes of it.
 * @param place a path, a model's name on the Hugging Face Hub, or a folder of `httpFolder`, `hubFolder` or `filesFolder`
 * @param choose the family of a `config.json`; it is also given what to call that file in an error
 * @throws {ModelError} when the directory or its tensors are not a model's
 * @throws {ConfigError} when a field of `config.json` is wrong or not supported
 * @throws {SafetensorsError} when a file is malformed
 * @throws {OutOfMemoryError} when the weights do not fit the device
 * @throws the reason of `options.signal`, when it is aborted
 */
export async function loadDecoder<C extends DecoderConfig, I extends object>(
  device: Device,
  place: ModelPlace,
  choose: (config: Readonly<Record<string, unknown>>, where: string) => Family<C, I>,
  options: LoadOptions = {},
): Promise<Decoder<C>> {
  const opened = await openModel<C, I, Family<C, I>>(place, choose, options);
  const { family, checkpoint, shapes, stored, close, ...parts } = opened;
  try {
    const weights = await readWeights(device, checkpoint, shapes, { ...options, ...stored });
    return family.create({ device, weights, ...parts });
  } finally {
    // Ends what is still on its way, for whatever reason the load ends.
    await close();
  }
}

/** Standard deviation of fresh weights. */
const std = 0.02;

/** Gives every weight of a model fresh numbers. */
function writeFresh({ device, config, weights }: Decoder, seed: number): void {
  const residual = std / Math.sqrt(2 * config.num_hidden_layers);
  for (const [i, [name, weight]] of [...weights].entries()) {
    const { shape } = weight;
    using _scope = device.scope("fresh weight");
    const writes = /\.(o_proj|down_proj)\.weight$/.test(name);
    // Each weight has its own random stream: the generator counts elements within one call.
    const options = { seed: seed * 65_536 + i, std: writes ? residual : std };
    const constant = name.endsWith(".bias") ? 0 : 1;
    const fresh = shape.length === 1 ? full(device, shape, constant) : randomNormal(device, shape, options);
    castInto(weight, fresh);
  }
}
