import type { LlamaConfigInput } from "@lethe/llama";

/** The shape of TinyLlama-1.1B (Zhang et al. 2024): 1.1 billion parameters. */
export const billion: LlamaConfigInput = {
  model_type: "llama",
  vocab_size: 32_000,
  hidden_size: 2048,
  intermediate_size: 5632,
  num_hidden_layers: 22,
  num_attention_heads: 32,
  num_key_value_heads: 4,
};
