import type { DecoderConfig } from "@lethe/decoder";
import type { PretrainingRecipe } from "./pretrain.ts";
import type { TinyFamily } from "./tiny-models.ts";

/** What a pretrained model's card says of it. */
export interface ModelFacts {
  readonly family: TinyFamily;
  readonly config: DecoderConfig;
  readonly recipe: PretrainingRecipe;
  readonly seed: number;
  /** The share of target questions, and of unrelated ones, that it answers exactly. */
  readonly target: number;
  readonly unrelated: number;
}

const familyNames: Readonly<Record<TinyFamily, string>> = { llama: "LLaMA", olmo: "OLMo" };

/** The `README.md` of a pretrained model's directory, as Hugging Face reads it. */
export function modelCard({ family, config, recipe, seed, target, unrelated }: ModelFacts): string {
  const percent = (share: number) => `${(share * 100).toFixed(1)}%`;
  const name = familyNames[family];
  return `---
license: cc-by-4.0
language: en
library_name: transformers
pipeline_tag: text-generation
---
# Tiny ${name} for unlearning studies

A ${config.num_hidden_layers}-layer ${name} of width ${config.hidden_size} (vocabulary ${config.vocab_size}, ${config.num_attention_heads} heads, MLP of
${config.intermediate_size}), trained from scratch by Lethe on its own concept data: ten concepts with ten facts each and fifty unrelated facts. It knows
these by heart and nothing else. It exists so that unlearning, and what a restoration brings back, can be studied in minutes
on any machine. It is of no use as a language model.

Asked \`Question: {question}\\n Answer:\`, it answers ${percent(target)} of the target questions and ${percent(unrelated)} of the unrelated ones with
exactly the sentence it was taught (greedy decoding).

Training: ${recipe.epochs} epochs in batches of ${recipe.batchSize}, AdamW (β ${recipe.beta1}, ${recipe.beta2}; weight decay ${recipe.weightDecay} on matrices; gradients clipped at norm
${recipe.clipNorm}), learning rate ${recipe.learningRate} after ${recipe.warmupEpochs} epochs of warm-up, then a cosine to ${recipe.floor * 100}% of it; f32; seed ${seed}.

Made by \`npm run pretrain -- --family ${family}\`. Data and model: CC BY 4.0.
`;
}
