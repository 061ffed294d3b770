import { ALIGNMENTS } from "@lethe/unlearn";
import { csvOfCells } from "../../report/csv.ts";
import { type RestorationCell, scoresOf, settingsOf } from "./scores.ts";

/** `krs.csv`: every Knowledge Recovery Score on a line of its own. */
export function krsCsv(cells: readonly RestorationCell[]): string {
  return csvOfCells(cells, ["setting", "layer", "alignment", "aggregation", "krs"], (cell) =>
    settingsOf([cell]).flatMap(({ name: setting }) =>
      ALIGNMENTS.flatMap((alignment) =>
        (["ratioOfMeans", "meanOfRatios"] as const).flatMap((aggregation) =>
          scoresOf(cell, setting, { alignment, aggregation }).map((krs, i) => {
            return [setting, cell.result.centres[i]!, alignment, aggregation, krs];
          }),
        ),
      ),
    ),
  );
}
