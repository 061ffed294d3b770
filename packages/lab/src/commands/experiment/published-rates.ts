import type { Cell } from "../../cells/cell.ts";
import { type RecipeSources, recordOf } from "../../recipes/choose.ts";
import { subjectKind } from "../../subjects/list.ts";

/** Lines that say for which models and methods nobody has looked for a learning rate, and which one is used. */
export function publishedRates(cells: readonly Cell[], { records, changes }: RecipeSources): string[] {
  if (changes.learningRate !== undefined) return [];
  const lines = cells.flatMap(({ config: { model, subject } }) => {
    if (subject.kind !== "unlearned") return [];
    const { name } = subjectKind(subject).label(subject);
    if (recordOf(records, model.sha256, name)) return [];
    const rate = subject.training.learningRate.toExponential();
    const used = recordOf(records, model.sha256, subject.method)
      ? `the ${rate} of ${subject.method}, which was found for all that it trains`
      : `the published ${rate}, which was found for models of billions of parameters`;
    return [
      `${model.name}: no learning rate for ${name} is on record, so it is ${used}. --find-rate looks for one, --rate sets one.`,
    ];
  });
  return [...new Set(lines)];
}
