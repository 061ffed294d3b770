/** The smallest LLaMA that a test loads or saves. */
export const sizes = {
  model_type: "llama",
  vocab_size: 12,
  hidden_size: 8,
  intermediate_size: 10,
  num_hidden_layers: 1,
  num_attention_heads: 2,
} as const;
