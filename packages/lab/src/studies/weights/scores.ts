import {
  placeOfWeight,
  relativeChange,
  squaresTogether,
  WEIGHT_GROUPS,
  type WeightComparison,
  type WeightGroup,
  weightCosine,
} from "@lethe/unlearn";
import { mean } from "../../report/panels.ts";
import type { StudyCell } from "../study.ts";
import type { WeightsOptions, WeightsResult } from "./schema.ts";

/** A cell with the weights study's sums and norms. */
export type WeightsCell = StudyCell<WeightsOptions, WeightsResult>;

/** A cell's weights of one group. Where embeddings are tied, the embedding is the unembedding, too. */
export function weightsOf({ result: { weights } }: WeightsCell, group: WeightGroup): WeightComparison[] {
  const own = weights.filter(({ name }) => placeOfWeight(name).group === group);
  return own.length === 0 && group === "unembedding"
    ? weights.filter(({ name }) => placeOfWeight(name).group === "embedding")
    : own;
}

/** The groups of which one of these cells has weights, in the order of the forward pass. */
export function groupsOf(cells: readonly WeightsCell[]): WeightGroup[] {
  const found = new Set(cells.flatMap(({ result }) => result.weights.map(({ name }) => placeOfWeight(name).group)));
  return WEIGHT_GROUPS.filter((group) => found.has(group));
}

/** The lowest cosine similarity of a weight of a group; null where there is none. */
export function lowestCosine(cells: readonly WeightsCell[], group: WeightGroup): number | null {
  const cosines = cells.flatMap((cell) => weightsOf(cell, group)).map(weightCosine);
  return cosines.reduce(
    (lowest, cosine) => (lowest === null || (cosine !== null && cosine < lowest) ? cosine : lowest),
    null,
  );
}

/** A score of each of several weights, and its mean; the entries are null where no weight has one. */
export function overWeights(
  weights: readonly WeightComparison[],
  score: (weight: WeightComparison) => number | null,
): { readonly lowest: number; readonly mean: number; readonly highest: number } | null {
  const scores = weights.map(score).filter((value) => value !== null);
  if (scores.length === 0) return null;
  return { lowest: Math.min(...scores), mean: mean(scores), highest: Math.max(...scores) };
}

/** The relative change of a group in each layer. */
export function changeByLayer({ result: { weights } }: WeightsCell, group: WeightGroup): number[] {
  const layers = new Map<number, WeightComparison[]>();
  for (const weight of weights) {
    const { group: own, layer } = placeOfWeight(weight.name);
    if (own === group && layer !== null) layers.set(layer, [...(layers.get(layer) ?? []), weight]);
  }
  return [...layers.keys()]
    .sort((a, b) => a - b)
    .map((layer) => relativeChange(squaresTogether(layers.get(layer)!)) ?? 0);
}
