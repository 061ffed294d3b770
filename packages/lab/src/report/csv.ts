import { csvFormat } from "d3-dsv";
import { subjectKind } from "../subjects/list.ts";
import type { ReportCell } from "./panels.ts";

/** Null is an empty field. */
type Field = string | number | boolean | null;

/**
 * The text of a CSV file with a line for each row of each cell. The first columns name the cell: model, concept, method, seed.
 * @param columns the names of the others
 * @param rowsOf a cell's rows, each with the fields of the other columns in their order
 */
export function csvOfCells<C extends ReportCell>(
  cells: readonly C[],
  columns: readonly string[],
  rowsOf: (cell: C) => readonly (readonly Field[])[],
): string {
  const rows = cells.flatMap((cell) => {
    const { model, concept, subject, seed } = cell.config;
    const { name: method } = subjectKind(subject).label(subject);
    return rowsOf(cell).map((row) => ({
      model: model.name,
      concept: concept.name,
      method,
      seed,
      ...Object.fromEntries(columns.map((column, i) => [column, row[i]!])),
    }));
  });
  return `${csvFormat<Record<string, Field>>(rows, ["model", "concept", "method", "seed", ...columns])}\n`;
}
