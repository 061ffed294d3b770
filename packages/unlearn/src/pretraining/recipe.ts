/** A tiny LLaMA that learns the concept data by heart in about a teraflop: 0.8 M parameters, deep enough for windows of five layers. */
export const tinyLlama = {
  hidden_size: 64,
  intermediate_size: 172,
  num_hidden_layers: 12,
  num_attention_heads: 4,
  num_key_value_heads: 4,
  max_position_embeddings: 512,
  rms_norm_eps: 1e-5,
  rope_theta: 10_000,
} as const;

/** How a tiny model is trained from scratch. */
export interface PretrainingRecipe {
  readonly epochs: number;
  readonly batchSize: number;
  readonly learningRate: number;
  /** Epochs over which the learning rate rises; from there it follows a cosine down to `floor` of its peak. */
  readonly warmupEpochs: number;
  readonly floor: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  /** Of matrices; norms do not decay. */
  readonly weightDecay: number;
  readonly clipNorm: number;
}

/** Small batches, because it is the number of steps that counts here: about a thousand are needed. */
export const tinyRecipe: PretrainingRecipe = {
  epochs: 30,
  batchSize: 8,
  learningRate: 4e-3,
  warmupEpochs: 2,
  floor: 0.05,
  beta1: 0.9,
  beta2: 0.95,
  epsilon: 1e-8,
  weightDecay: 0.1,
  clipNorm: 1,
};
