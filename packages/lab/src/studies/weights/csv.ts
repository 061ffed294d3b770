import { placeOfWeight, relativeChange, relativeSpectralChange, stableRank, weightCosine } from "@lethe/unlearn";
import { csvFormat } from "d3-dsv";
import { subjectKind } from "../../subjects/list.ts";
import type { WeightsCell } from "./scores.ts";

const NAMES = ["model", "concept", "method", "seed", "weight", "group", "layer"] as const;
const SCORES = ["cosine", "relativeChange", "relativeSpectralChange", "stableRank"] as const;

/** `weights.csv`: the scores of every weight on a line. A score is empty where a weight has none. */
export function weightsCsv(cells: readonly WeightsCell[]): string {
  const rows = cells.flatMap(({ config: { model, concept, subject, seed }, result }) => {
    const method = subjectKind(subject).label(subject).name;
    return result.weights.map((weight) => ({
      model: model.name,
      concept: concept.name,
      method,
      seed,
      weight: weight.name,
      ...placeOfWeight(weight.name),
      cosine: weightCosine(weight),
      relativeChange: relativeChange(weight),
      relativeSpectralChange: relativeSpectralChange(weight),
      stableRank: stableRank(weight),
    }));
  });
  return `${csvFormat(rows, [...NAMES, ...SCORES])}\n`;
}
