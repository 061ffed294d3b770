import type { WeightShapes } from "@lethe/decoder";
import type { LlamaConfig } from "./config.ts";

/** Hugging Face's names. */
export const names = {
  embedding: "model.embed_tokens.weight",
  finalNorm: "model.norm.weight",
  head: "lm_head.weight",
  inputNorm: (layer: number) => `model.layers.${layer}.input_layernorm.weight`,
  query: (layer: number) => `model.layers.${layer}.self_attn.q_proj.weight`,
  key: (layer: number) => `model.layers.${layer}.self_attn.k_proj.weight`,
  value: (layer: number) => `model.layers.${layer}.self_attn.v_proj.weight`,
  output: (layer: number) => `model.layers.${layer}.self_attn.o_proj.weight`,
  mlpNorm: (layer: number) => `model.layers.${layer}.post_attention_layernorm.weight`,
  gate: (layer: number) => `model.layers.${layer}.mlp.gate_proj.weight`,
  up: (layer: number) => `model.layers.${layer}.mlp.up_proj.weight`,
  down: (layer: number) => `model.layers.${layer}.mlp.down_proj.weight`,
} as const;

/** Tensors of published checkpoints that are computed here, or are another's under tied embeddings. */
export function ignored({ tie_word_embeddings: tied }: LlamaConfig): RegExp[] {
  const rotary = /\.rotary_emb\.inv_freq$/;
  return tied ? [rotary, /^lm_head\.weight$/] : [rotary];
}

/** Every weight's shape, in the order of the forward pass; linear ones are `[out, in]`. */
export function weightShapes(config: LlamaConfig): WeightShapes {
  const { hidden_size: d, intermediate_size: n, vocab_size: vocabulary } = config;
  const queries = config.num_attention_heads * config.head_dim;
  const keys = config.num_key_value_heads * config.head_dim;
  const shapes = new Map<string, readonly number[]>([[names.embedding, [vocabulary, d]]]);
  for (let layer = 0; layer < config.num_hidden_layers; layer++) {
    shapes.set(names.inputNorm(layer), [d]);
    shapes.set(names.query(layer), [queries, d]);
    shapes.set(names.key(layer), [keys, d]);
    shapes.set(names.value(layer), [keys, d]);
    shapes.set(names.output(layer), [d, queries]);
    shapes.set(names.mlpNorm(layer), [d]);
    shapes.set(names.gate(layer), [n, d]);
    shapes.set(names.up(layer), [n, d]);
    shapes.set(names.down(layer), [d, n]);
  }
  shapes.set(names.finalNorm, [d]);
  if (!config.tie_word_embeddings) shapes.set(names.head, [vocabulary, d]);
  return shapes;
}
