import { LetheError } from "@lethe/tensor";
import { checked, text } from "@lethe/tensor/checked";

/** What the parameters of a decoder are, in the order of its forward pass. A model with tied embeddings has no unembedding of its own. */
export const WEIGHT_GROUPS = [
  "embedding",
  "q",
  "k",
  "v",
  "o",
  "gate",
  "up",
  "down",
  "norms",
  "biases",
  "unembedding",
] as const;
export type WeightGroup = (typeof WEIGHT_GROUPS)[number];

/** A weight's place in its model. */
export interface WeightPlace {
  readonly group: WeightGroup;
  /** From 0; null outside the blocks. */
  readonly layer: number | null;
}

/** By the last part of a module's name. */
const GROUPS: Readonly<Record<string, WeightGroup>> = {
  embed_tokens: "embedding",
  q_proj: "q",
  k_proj: "k",
  v_proj: "v",
  o_proj: "o",
  gate_proj: "gate",
  up_proj: "up",
  down_proj: "down",
  lm_head: "unembedding",
};

/**
 * The place of a weight, from Hugging Face's name.
 * @throws {LetheError} when the name is not of a decoder's weight
 * @function
 */
export const placeOfWeight = checked("placeOfWeight", { name: text }, (name: string): WeightPlace => {
  const [, digits, module = "", kind] = /^(?:.*\.layers\.(\d+)\.)?(?:.*\.)?(\w+)\.(weight|bias)$/.exec(name) ?? [];
  const group = kind === "bias" ? "biases" : (GROUPS[module] ?? (module.includes("norm") ? "norms" : undefined));
  if (!group)
    throw new LetheError(`placeOfWeight: "${name}" is not a weight's name, such as model.layers.3.mlp.up_proj.weight`);
  return { group, layer: digits === undefined ? null : Number(digits) };
});
