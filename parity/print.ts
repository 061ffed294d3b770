import { comparisons, type Result } from "./compare.ts";
import { farthest } from "./distance.ts";

const labelWidth = 66;

const line = (label: string, cells: readonly string[]) =>
  [
    label.padEnd(labelWidth),
    ...cells.map((cell, i) => cell.padStart(Math.max(9, comparisons[i]!.what.length + 1))),
  ].join(" ");

/** The distance or, where nothing may differ, how many tokens or weights do. A `!` marks a failure. */
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

/** Prints a row, and below it the place of each failure. */
export function printRow(label: string, results: readonly Result[]): void {
  console.log(line(label, results.map(cellOf)));
  for (const { what, where, ok } of results) if (!ok) console.log(`    ${what}: the largest distance is at ${where}`);
}

/** Prints the largest distance of every kind over all rows, and the tolerances. */
export function printSummary(rows: readonly (readonly Result[])[]): void {
  const worst = comparisons.map((_, i) => farthest(rows.map((row) => row[i]!)));
  console.log(line("largest of all", worst.map(cellOf)));
  const tolerances = comparisons.map(({ tolerance }) => (tolerance > 0 ? tolerance.toExponential(0) : "same"));
  console.log(line("tolerance", tolerances));
}
