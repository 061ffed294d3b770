/** Names of modules that every family has in Hugging Face's form. A module's weight is `NAME.weight`, its bias `NAME.bias`. */
export const modules = {
  embedding: "model.embed_tokens",
  finalNorm: "model.norm",
  unembedding: "lm_head",
  query: (layer: number) => `model.layers.${layer}.self_attn.q_proj`,
  key: (layer: number) => `model.layers.${layer}.self_attn.k_proj`,
  value: (layer: number) => `model.layers.${layer}.self_attn.v_proj`,
  output: (layer: number) => `model.layers.${layer}.self_attn.o_proj`,
  gate: (layer: number) => `model.layers.${layer}.mlp.gate_proj`,
  up: (layer: number) => `model.layers.${layer}.mlp.up_proj`,
  down: (layer: number) => `model.layers.${layer}.mlp.down_proj`,
} as const;
