import { type Decoder, defineFamily } from "@lethe/decoder";
import { type OlmoConfig, type OlmoConfigInput, olmoConfig } from "./config.ts";
import { isOriginal, originalSources } from "./original.ts";

/** An OLMo-1 on a device. */
export type Olmo = Decoder<OlmoConfig>;

/** OLMo-1 (Groeneveld et al. 2024): LayerNorm without weights before each sub-layer; queries, keys and values may be clipped. */
export const olmo = defineFamily<OlmoConfig, OlmoConfigInput>({
  modelTypes: ["olmo", "hf_olmo"],
  config: olmoConfig,
  layout: ({ attention_bias, clip_qkv }) => ({
    norm: { kind: "layer", eps: 1e-5, weighted: false },
    attention: { normBefore: "input_layernorm", bias: attention_bias, clip: clip_qkv ?? undefined },
    mlp: { normBefore: "post_attention_layernorm" },
  }),
  sources: (raw, config) => (isOriginal(raw) ? originalSources(config) : undefined),
});

/** Loads an OLMo-1 from a directory in `transformers`' form or in the original one; see `Family.load` of `@lethe/decoder`. */
export const loadOlmo = olmo.load;

/** An OLMo-1 with fresh f32 weights, the same for the same seed; see `Family.init` of `@lethe/decoder`. */
export const initOlmo = olmo.init;
