import { comparisons, type Result } from "./compare.ts";
import { farthest } from "./distance.ts";

const labelWidth = 66;

const line = (label: string, cells: readonly string[]) =>
  [
    label.padEnd(labelWidth),
    ...cells.map((cell, i) => cell.padStart(Math.max(9, comparisons[i]!.what.length + 1))),
  ].join(" ");

/** What of a tolerance was used; where none is given away, how many tokens or weights differ. */
function cellOf({ error, tolerance, ok }: Result): string {
  const distance = tolerance > 0 ? error.toExponential(1) : error === 0 ? "same" : `${error} differ`;
  return ok ? distance : `${distance} !`;
}

export function printHeadings(): void {
  console.log(
    line(
      "model",
      comparisons.map(({ what }) => what),
    ),
  );
}

/** A row, and below it where it fails. */
export function printRow(label: string, results: readonly Result[]): void {
  console.log(line(label, results.map(cellOf)));
  for (const { what, where, ok } of results) if (!ok) console.log(`    ${what}: farthest at ${where}`);
}

/** The farthest of every kind over all rows, and the tolerances. */
export function printSummary(rows: readonly (readonly Result[])[]): void {
  const worst = comparisons.map((_, i) => farthest(rows.map((row) => row[i]!)));
  console.log(line("farthest of all", worst.map(cellOf)));
  const tolerances = comparisons.map(({ tolerance }) => (tolerance > 0 ? tolerance.toExponential(0) : "same"));
  console.log(line("tolerance", tolerances));
}
