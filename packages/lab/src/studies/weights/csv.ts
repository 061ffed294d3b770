import { placeOfWeight, relativeChange, relativeSpectralChange, stableRank, weightCosine } from "@lethe/unlearn";
import { csvOfCells } from "../../report/csv.ts";
import type { WeightsCell } from "./scores.ts";

const COLUMNS = ["weight", "group", "layer", "cosine", "relativeChange", "relativeSpectralChange", "stableRank"];

/** `weights.csv`: the scores of every weight on a line. A score is empty where a weight has none. */
export function weightsCsv(cells: readonly WeightsCell[]): string {
  return csvOfCells(cells, COLUMNS, ({ result }) =>
    result.weights.map((weight) => {
      const { group, layer } = placeOfWeight(weight.name);
      const changes = [relativeChange(weight), relativeSpectralChange(weight)];
      return [weight.name, group, layer, weightCosine(weight), ...changes, stableRank(weight)];
    }),
  );
}
