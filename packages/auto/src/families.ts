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
  olmoe: ["olmo", "a mixture of experts"],
  flex_olmo: ["olmo2", "a mixture of experts"],
};

/** For an error: the supported `model_type` that comes nearest to an unsupported one. */
export function nearestTo(modelType: string): string {
  const known = relatives[modelType];
  if (known) return `"${known[0]}" comes nearest; ${modelType} has ${known[1]}`;
  const distance = (type: string) => leven(type, modelType.toLowerCase());
  const [nearest] = [...modelTypes].sort((a, b) => distance(a) - distance(b));
  return `"${nearest}" comes nearest by name`;
}
