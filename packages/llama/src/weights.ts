import { shapesOf, type WeightShapes } from "@lethe/decoder";
import type { LlamaConfig } from "./config.ts";

/** Hugging Face's names of the norms. */
export const norms = {
  attention: (layer: number) => `model.layers.${layer}.input_layernorm`,
  mlp: (layer: number) => `model.layers.${layer}.post_attention_layernorm`,
} as const;

/** Every weight's shape, in the order of the forward pass; linear ones are `[out, in]`. */
export function weightShapes(config: LlamaConfig): WeightShapes {
  const { hidden_size: d } = config;
  return shapesOf(config, {
    attentionBias: config.attention_bias,
    mlpBias: config.mlp_bias,
    norms: (layer) => ({ attention: [[norms.attention(layer), d]], mlp: [[norms.mlp(layer), d]] }),
    finalNorm: true,
  });
}
