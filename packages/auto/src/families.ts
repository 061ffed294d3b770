import type { Decoder, DecoderConfig, Family } from "@lethe/decoder";
import { llama } from "@lethe/llama";
import { olmo, olmo2 } from "@lethe/olmo";
import leven from "leven";

/** A family of which no more is known than that it is one. */
// biome-ignore lint/suspicious/noExplicitAny: a family takes its own config alone, and the table holds every one
type AnyFamily = Family<any, Decoder<any>>;

const families: readonly AnyFamily[] = [llama, olmo, olmo2];

/** Values of `model_type` that Lethe loads. */
export const modelTypes: readonly string[] = families.flatMap((family) => family.modelTypes);

/** The family of a `model_type`. */
export function familyOf(modelType: unknown): Family<DecoderConfig, Decoder> | undefined {
  return families.find((family) => family.modelTypes.includes(modelType as string));
}

/** Relatives whose names do not say so, and what they have that the supported one has not. */
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

/** What to say of the supported `model_type` that comes nearest to another. */
export function nearestTo(modelType: string): string {
  const known = relatives[modelType];
  if (known) return `"${known[0]}" comes nearest; ${modelType} has ${known[1]}`;
  const distance = (type: string) => leven(type, modelType.toLowerCase());
  const [nearest] = [...modelTypes].sort((a, b) => distance(a) - distance(b));
  return `"${nearest}" comes nearest by name`;
}
