import {
  ConfigError,
  type Decoder,
  type Family,
  folderOf,
  initFamily,
  type LoadOptions,
  loadFamily,
  type ModelPlace,
  readConfig,
  type Text,
} from "@lethe/decoder";
import type { Device } from "@lethe/tensor";
import { familyOf, modelTypes, nearestTo } from "./families.ts";

/**
 * Loads the model that a directory holds, of whichever supported family it is; see `loadFamily` of `@lethe/decoder`.
 * @param place a path, a repository's name in the local Hugging Face cache, or what `httpFolder` and `filesFolder` give
 * @throws {ConfigError} when its `model_type` is not supported, naming the nearest that is; otherwise as `loadFamily`
 */
export async function loadModel(device: Device, place: ModelPlace, options?: LoadOptions): Promise<Decoder> {
  const folder = await folderOf(place);
  const config = await readConfig(folder);
  return loadFamily(device, folder, supportedFamily(config, `${folder.name}: config.json`), options);
}

/**
 * A model with fresh f32 weights of the family that `model_type` names; see `initFamily` of `@lethe/decoder`.
 * @param config Hugging Face's fields, of which `model_type` and the sizes are required
 * @throws {ConfigError} when the configuration is wrong or asks for what is not supported
 */
export function initModel(
  device: Device,
  config: Readonly<Record<string, unknown>> & { readonly model_type: string },
  seed: number,
  text?: Text,
): Decoder {
  return initFamily(device, config, seed, supportedFamily(config, "config"), text);
}

/**
 * The family that a `config.json` names.
 * @param where what to call the config in an error
 * @throws {ConfigError} when its `model_type` is not supported, naming the nearest that is
 */
export function supportedFamily({ model_type: type }: Readonly<Record<string, unknown>>, where: string): Family {
  const family = familyOf(type);
  if (family) return family;
  const known = modelTypes.map((type) => `"${type}"`).join(", ");
  const found = typeof type === "string" ? `"${type}", which is not supported: ${nearestTo(type)}` : "missing";
  throw new ConfigError(`${where}: model_type is ${found}. Lethe loads ${known}.`);
}
