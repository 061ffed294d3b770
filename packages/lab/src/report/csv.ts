import { ALIGNMENTS, SETTINGS } from "@lethe/unlearn";
import { csvFormat } from "d3-dsv";
import type { CellResult } from "../experiment/cell.ts";
import { scoresOf } from "./panels.ts";

const COLUMNS = ["model", "concept", "method", "setting", "layer", "alignment", "aggregation", "krs"] as const;

/** All recovery scores in long form, one a line: `krs.csv`. */
export function krsCsv(cells: readonly CellResult[]): string {
  const rows = cells.flatMap((cell) => {
    const { model, concept, training } = cell.config;
    const who = { model: model.name, concept: concept.name, method: training.objective.name };
    return SETTINGS.flatMap((setting) =>
      ALIGNMENTS.flatMap((alignment) =>
        (["ratioOfMeans", "meanOfRatios"] as const).flatMap((aggregation) =>
          scoresOf(cell, setting, { alignment, aggregation }).map((krs, layer) => {
            return { ...who, setting, layer, alignment, aggregation, krs };
          }),
        ),
      ),
    );
  });
  return `${csvFormat(rows, [...COLUMNS])}\n`;
}
