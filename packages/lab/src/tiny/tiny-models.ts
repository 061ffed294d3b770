import type { PretrainingRecipe } from "./pretrain.ts";

/** A tiny model: what it is, and how it is trained. */
export interface TinyModel {
  /** Fields of its `config.json`; the tokenizer decides the others. */
  readonly config: typeof shape & {
    readonly model_type: TinyFamily;
    readonly architectures: readonly string[];
    readonly rms_norm_eps?: number;
  };
  readonly recipe: PretrainingRecipe;
}

/** The families that have a tiny model. */
export const TINY_FAMILIES = ["llama", "olmo"] as const;
export type TinyFamily = (typeof TINY_FAMILIES)[number];

/** 0.8 M parameters: learns the concept data by heart in about 10¹² operations, and is deep enough for windows of five layers. */
const shape = {
  hidden_size: 64,
  intermediate_size: 172,
  num_hidden_layers: 12,
  num_attention_heads: 4,
  num_key_value_heads: 4,
  max_position_embeddings: 512,
  rope_theta: 10_000,
} as const;

/** The batches are small because the number of steps decides: about a thousand are needed. */
const shared = {
  batchSize: 8,
  warmupEpochs: 2,
  floor: 0.05,
  beta1: 0.9,
  beta2: 0.95,
  epsilon: 1e-8,
  weightDecay: 0.1,
  clipNorm: 1,
} as const;

/** The model of each family. */
export const tinyModels: Readonly<Record<TinyFamily, TinyModel>> = {
  llama: {
    config: { model_type: "llama", architectures: ["LlamaForCausalLM"], ...shape, rms_norm_eps: 1e-5 },
    recipe: { ...shared, epochs: 30, learningRate: 4e-3 },
  },
  // An OLMo of this size needs about 1.4 times the steps of a LLaMA.
  olmo: {
    config: { model_type: "olmo", architectures: ["OlmoForCausalLM"], ...shape },
    recipe: { ...shared, epochs: 44, learningRate: 5e-3 },
  },
};
