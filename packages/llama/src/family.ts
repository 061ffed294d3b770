import { type Family, initFamily, type LoadOptions, loadFamily, type ModelPlace, type Text } from "@lethe/decoder";
import type { Device } from "@lethe/tensor";
import { type LlamaConfig, type LlamaConfigInput, llamaConfig } from "./config.ts";
import { Llama } from "./llama.ts";
import { weightShapes } from "./weights.ts";

/** LLaMA, as the loader sees it. */
export const llama: Family<LlamaConfig, Llama> = {
  modelTypes: ["llama"],
  config: (raw, where) => llamaConfig(raw as LlamaConfigInput, where),
  shapes: weightShapes,
  create: (parts) => new Llama(parts),
};

/** Loads a LLaMA from a directory in Hugging Face's format; see `loadFamily` of `@lethe/decoder`. */
export function loadLlama(device: Device, place: ModelPlace, options?: LoadOptions): Promise<Llama> {
  return loadFamily(device, place, llama, options);
}

/** A LLaMA with fresh f32 weights, the same for the same seed; see `initFamily` of `@lethe/decoder`. */
export function initLlama(device: Device, config: LlamaConfigInput, seed: number, text?: Text): Llama {
  return initFamily(device, config, seed, llama, text);
}
