import type { Cell } from "../../cells/cell.ts";
import { type RecipeSources, recordOf } from "../../recipes/choose.ts";

/** Lines that say for which models and methods nobody has looked for a learning rate, so that the published one is used. */
export function publishedRates(cells: readonly Cell[], { records, changes }: RecipeSources): string[] {
  if (changes.learningRate !== undefined) return [];
  const lines = cells.flatMap(({ config: { model, subject } }) => {
    if (subject.kind !== "unlearned" || recordOf(records, model.sha256, subject.method)) return [];
    const { learningRate } = subject.training;
    return [
      `${model.name}: no learning rate for ${subject.method} is on record, so it is the published ${learningRate.toExponential()}, which was found for ` +
        "models of billions of parameters. --find-rate looks for one, --rate sets one.",
    ];
  });
  return [...new Set(lines)];
}
