import type { Family } from "@lethe/decoder";
import { llama } from "@lethe/llama";
import { olmo, olmo2 } from "@lethe/olmo";
import leven from "leven";

/** Every family that Lethe loads. */
export const families: readonly Family[] = [llama, olmo, olmo2];

/** Values of `model_type` that Lethe loads. */
export const modelTypes: readonly string[] = families.flatMap((family) => family.modelTypes);

/** Related models with other names: the nearest supported `model_type`, and what the related model has that it lacks. */
const relatives: Readonly<Record<string, readonly [nearest: string, difference: string]>> = {
  mistral: ["llama", "attention over a sliding window"],
  mixtral: ["llama", "a mixture of experts"],
  qwen2: ["llama", "biases of queries, keys and values alone"],
  qwen3: ["llama", "norms of queries and keys by head"],
  gemma: ["llama", "scaled embeddings, another activation function and norms that count from 1"],
  gemma2: ["llama", "norms after each sub-layer, scaled embeddings and capped logits"],
  phi3: ["llama", "fused projections"],
  granite: ["llama", "multipliers of embeddings, attention and logits"],
  llama4: ["llama", "a mixture of experts and chunked attention"],
  mllama: ["llama", "images"],
  olmo3: ["olmo2", "attention over a sliding window in most layers"],
  smollm3: ["llama", "layers without rotary positions"],
  cohere: ["llama", "attention and MLP side by side, LayerNorm and scaled logits"],
  olmoe: ["olmo", "a mixture of experts"],
  flex_olmo: ["olmo2", "a mixture of experts"],
};

/** For an error about an unsupported `model_type`: what Lethe lacks, or which supported one it may be a misspelling of. */
export function whyUnsupported(modelType: string, config: Readonly<Record<string, unknown>>): string {
  if (modelType === "mistral" && config.sliding_window === null)
    return `its sliding_window is null, so it computes what a LLaMA does: in a copy of its config.json, write "llama" as model_type and leave architectures out`;
  if (Object.hasOwn(relatives, modelType)) {
    const [nearest, difference] = relatives[modelType]!;
    return `"${nearest}" comes nearest; ${modelType} has ${difference}`;
  }
  // Names that differ in more than two letters are of other models.
  const alike = modelTypes.find((type) => leven(type, modelType.slice(0, 20).toLowerCase()) <= 2);
  return alike ? `is it "${alike}"?` : "no supported model is like it";
}
