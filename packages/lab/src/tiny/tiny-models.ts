import type { PretrainingRecipe } from "./recipe.ts";

/** A model that comes with Lethe: what it is, how it is trained, on what, and where it lies from the repository's root. */
export interface TinyModel {
  readonly directory: string;
  /** The concepts that it knows. */
  readonly data: string;
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

/** Learns the concept data by heart in about a teraflop: 0.8 M parameters, deep enough for windows of five layers. */
const shape = {
  hidden_size: 64,
  intermediate_size: 172,
  num_hidden_layers: 12,
  num_attention_heads: 4,
  num_key_value_heads: 4,
  max_position_embeddings: 512,
  rope_theta: 10_000,
} as const;

/** Small batches, because it is the number of steps that counts here: about a thousand are needed. */
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
    directory: "models/tiny-llama",
    data: "data/llama.json",
    config: { model_type: "llama", architectures: ["LlamaForCausalLM"], ...shape, rms_norm_eps: 1e-5 },
    recipe: { ...shared, epochs: 30, learningRate: 4e-3 },
  },
  // An OLMo of that size needs about 1.4 times the steps of a LLaMA.
  olmo: {
    directory: "models/tiny-olmo",
    data: "data/olmo.json",
    config: { model_type: "olmo", architectures: ["OlmoForCausalLM"], ...shape },
    recipe: { ...shared, epochs: 44, learningRate: 5e-3 },
  },
};
