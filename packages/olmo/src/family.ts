import { type Family, initFamily, type LoadOptions, loadFamily, type ModelPlace, type Text } from "@lethe/decoder";
import type { Device } from "@lethe/tensor";
import {
  type Olmo2Config,
  type Olmo2ConfigInput,
  type OlmoConfig,
  type OlmoConfigInput,
  olmo2Config,
  olmoConfig,
} from "./config.ts";
import { Olmo, olmoShapes } from "./olmo.ts";
import { Olmo2, olmo2Shapes } from "./olmo2.ts";
import { isOriginal, originalSources } from "./original.ts";

/** OLMo-1, as the loader sees it. */
export const olmo: Family<OlmoConfig, Olmo> = {
  modelTypes: ["olmo", "hf_olmo"],
  config: (raw, where) => olmoConfig(raw as OlmoConfigInput, where),
  shapes: olmoShapes,
  sources: (raw, config) => (isOriginal(raw) ? originalSources(config) : undefined),
  create: (parts) => new Olmo(parts),
};

/** OLMo-2, as the loader sees it. */
export const olmo2: Family<Olmo2Config, Olmo2> = {
  modelTypes: ["olmo2"],
  config: (raw, where) => olmo2Config(raw as Olmo2ConfigInput, where),
  shapes: olmo2Shapes,
  create: (parts) => new Olmo2(parts),
};

/** Loads an OLMo-1 from a directory in `transformers`' form or in the original one; see `loadFamily` of `@lethe/decoder`. */
export function loadOlmo(device: Device, place: ModelPlace, options?: LoadOptions): Promise<Olmo> {
  return loadFamily(device, place, olmo, options);
}

/** An OLMo-1 with fresh f32 weights, the same for the same seed; see `initFamily` of `@lethe/decoder`. */
export function initOlmo(device: Device, config: OlmoConfigInput, seed: number, text?: Text): Olmo {
  return initFamily(device, config, seed, olmo, text);
}

/** Loads an OLMo-2 from a directory in Hugging Face's format; see `loadFamily` of `@lethe/decoder`. */
export function loadOlmo2(device: Device, place: ModelPlace, options?: LoadOptions): Promise<Olmo2> {
  return loadFamily(device, place, olmo2, options);
}

/** An OLMo-2 with fresh f32 weights, the same for the same seed; see `initFamily` of `@lethe/decoder`. */
export function initOlmo2(device: Device, config: Olmo2ConfigInput, seed: number, text?: Text): Olmo2 {
  return initFamily(device, config, seed, olmo2, text);
}
