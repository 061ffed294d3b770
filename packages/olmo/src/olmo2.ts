import { type BlockStyle, Decoder, modules, type Norm, shapesOf, type WeightShapes } from "@lethe/decoder";
import type { Olmo2Config } from "./config.ts";

/** Hugging Face's names of the norms. */
const norms = {
  query: (layer: number) => `model.layers.${layer}.self_attn.q_norm`,
  key: (layer: number) => `model.layers.${layer}.self_attn.k_norm`,
  attention: (layer: number) => `model.layers.${layer}.post_attention_layernorm`,
  mlp: (layer: number) => `model.layers.${layer}.post_feedforward_layernorm`,
} as const;

/**
 * OLMo-2 (OLMo et al. 2024): RMSNorm of what each sub-layer gives, before it is added to the residual stream, and of queries and keys,
 * over all heads together.
 */
export class Olmo2 extends Decoder<Olmo2Config> {
  protected blockStyle(layer: number): BlockStyle {
    return {
      attention: {
        normAfter: this.#norm(norms.attention(layer)),
        normQuery: this.#norm(norms.query(layer)),
        normKey: this.#norm(norms.key(layer)),
      },
      mlp: { normAfter: this.#norm(norms.mlp(layer)) },
    };
  }

  protected finalNorm(): Norm {
    return this.#norm(modules.finalNorm);
  }

  #norm(module: string): Norm {
    return { kind: "rms", weight: this.weight(module), eps: this.config.rms_norm_eps };
  }
}

/** Every weight's shape, in the order of the forward pass; linear ones are `[out, in]`. */
export function olmo2Shapes(config: Olmo2Config): WeightShapes {
  const { hidden_size: d, head_dim: width, num_attention_heads: heads, num_key_value_heads: groups } = config;
  return shapesOf(config, {
    attentionBias: config.attention_bias,
    norms: (layer) => ({
      attention: [
        [norms.query(layer), heads * width],
        [norms.key(layer), groups * width],
        [norms.attention(layer), d],
      ],
      mlp: [[norms.mlp(layer), d]],
    }),
    finalNorm: true,
  });
}
