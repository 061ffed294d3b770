import {
  ConfigError,
  type Decoder,
  type Family,
  type LoadOptions,
  loadDecoder,
  type ModelPlace,
  type OpenOptions,
  type StreamedModel,
  streamDecoder,
  type Text,
} from "@lethe/decoder";
import { type Device, quote } from "@lethe/tensor";
import { families, modelTypes, whyUnsupported } from "./families.ts";

/**
 * Loads the model of a directory, of whichever supported family it is; see `loadDecoder` of `@lethe/decoder`.
 * @param place a path, a model's name on the Hugging Face Hub, or a folder of `httpFolder`, `hubFolder` or `filesFolder`
 * @throws {ConfigError} when its `model_type` is not supported; the message says what Lethe lacks. Other errors are those of
 *   `loadDecoder`.
 */
export function loadModel(device: Device, place: ModelPlace, options?: LoadOptions): Promise<Decoder> {
  return loadDecoder(device, place, supportedFamily, options);
}

/**
 * Opens the model of a directory without loading it: a pass reads its weights block by block; see `StreamedModel` of `@lethe/decoder`.
 * Whoever opens it closes it.
 * @param place as for {@link loadModel}
 * @throws {ConfigError} when its `model_type` is not supported. Other errors are those of `streamDecoder`.
 */
export function streamModel(device: Device, place: ModelPlace, options?: OpenOptions): Promise<StreamedModel> {
  return streamDecoder(device, place, supportedFamily, options);
}

/**
 * A model with fresh f32 weights, of the family that `model_type` names; see `Family.init` of `@lethe/decoder`.
 * @param config Hugging Face's fields; `model_type` and the sizes are required
 * @throws {ConfigError} when a field is wrong or not supported
 */
export function initModel(
  device: Device,
  config: Readonly<Record<string, unknown>> & { readonly model_type: string },
  seed: number,
  text?: Text,
): Decoder {
  return supportedFamily(config, "config").init(device, config, seed, text);
}

/**
 * The family that the `model_type` of a `config.json` names.
 * @param where what to call the config in an error
 * @throws {ConfigError} when `model_type` is not supported; the message says what Lethe lacks
 */
export function supportedFamily(config: Readonly<Record<string, unknown>>, where: string): Family {
  const { model_type: type } = config;
  const family = families.find(({ modelTypes }) => modelTypes.includes(type as string));
  if (family) return family;
  const known = modelTypes.map((type) => `"${type}"`).join(", ");
  const why = typeof type === "string" ? `, which is not supported: ${whyUnsupported(type, config)}` : "";
  const found = type === undefined ? "missing" : `${quote(type)}${why}`;
  throw new ConfigError(`${where}: model_type is ${found}. Lethe loads ${known}.`);
}
