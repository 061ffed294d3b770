import { type Decoder, defineFamily } from "@lethe/decoder";
import { type LlamaConfig, type LlamaConfigInput, llamaConfig } from "./config.ts";

/** A LLaMA on a device. */
export type Llama = Decoder<LlamaConfig>;

/** LLaMA (Touvron et al. 2023): RMSNorm before each sub-layer, rotary positions, grouped queries, a gated MLP. */
export const llama = defineFamily<LlamaConfig, LlamaConfigInput>({
  modelTypes: ["llama"],
  config: llamaConfig,
  layout: ({ rms_norm_eps: eps, attention_bias, mlp_bias }) => ({
    norm: { kind: "rms", eps, weighted: true },
    attention: { normBefore: "input_layernorm", bias: attention_bias },
    mlp: { normBefore: "post_attention_layernorm", bias: mlp_bias },
  }),
});

/** Loads a LLaMA from a directory in Hugging Face's format; see `Family.load` of `@lethe/decoder`. */
export const loadLlama = llama.load;

/** A LLaMA with fresh f32 weights, the same for the same seed; see `Family.init` of `@lethe/decoder`. */
export const initLlama = llama.init;
