import { type Decoder, defineFamily } from "@lethe/decoder";
import { type Olmo2Config, type Olmo2ConfigInput, olmo2Config } from "./config.ts";

/** An OLMo-2 on a device. */
export type Olmo2 = Decoder<Olmo2Config>;

/**
 * OLMo-2 (OLMo et al. 2024): RMSNorm after each sub-layer, before its output is added to the residual stream, and RMSNorm of queries
 * and keys, over all heads together.
 */
export const olmo2 = defineFamily<Olmo2Config, Olmo2ConfigInput>({
  modelTypes: ["olmo2"],
  config: olmo2Config,
  layout: ({ rms_norm_eps: eps, attention_bias }) => ({
    norm: { kind: "rms", eps, weighted: true },
    attention: {
      normAfter: "post_attention_layernorm",
      normQuery: "self_attn.q_norm",
      normKey: "self_attn.k_norm",
      bias: attention_bias,
    },
    mlp: { normAfter: "post_feedforward_layernorm" },
  }),
});

/** Loads an OLMo-2 from a directory in Hugging Face's format; see `Family.load` of `@lethe/decoder`. */
export const loadOlmo2 = olmo2.load;

/** An OLMo-2 with fresh f32 weights, the same for the same seed; see `Family.init` of `@lethe/decoder`. */
export const initOlmo2 = olmo2.init;
