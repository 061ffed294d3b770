import { ALIGNMENTS } from "@lethe/unlearn";
import { csvFormat } from "d3-dsv";
import { subjectKind } from "../../subjects/list.ts";
import { type RestorationCell, scoresOf, settingsOf } from "./scores.ts";

const COLUMNS = ["model", "concept", "method", "seed", "setting", "layer", "alignment", "aggregation", "krs"] as const;

/** `krs.csv`: every Knowledge Recovery Score on a line of its own. */
export function krsCsv(cells: readonly RestorationCell[]): string {
  const rows = cells.flatMap((cell) => {
    const { model, concept, subject, seed } = cell.config;
    const method = subjectKind(subject).label(subject).name;
    const columns = { model: model.name, concept: concept.name, method, seed };
    return settingsOf([cell]).flatMap(({ name: setting }) =>
      ALIGNMENTS.flatMap((alignment) =>
        (["ratioOfMeans", "meanOfRatios"] as const).flatMap((aggregation) =>
          scoresOf(cell, setting, { alignment, aggregation }).map((krs, i) => {
            const layer = cell.result.centres[i]!;
            return { ...columns, setting, layer, alignment, aggregation, krs };
          }),
        ),
      ),
    );
  });
  return `${csvFormat(rows, [...COLUMNS])}\n`;
}
