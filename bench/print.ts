import type { Row } from "./row.ts";
import { type Spread, showPercent, showRatio, showSpread } from "./spread.ts";
import { describeVerdict, type Verdict } from "./targets.ts";

/** Widths of the two columns on the left; heading and width of each column of figures. */
const nameWidth = 24;
const shapeWidth = 36;
const figures = [
  ["time", 12],
  ["GFLOP/s", 9],
  ["GB/s", 7],
  ["throughput", 15],
  ["× plain", 15],
  ["of peak, %", 15],
] as const;

const line = (name: string, shape: string, cells: readonly string[]) =>
  [name.padEnd(nameWidth), shape.padEnd(shapeWidth), ...cells.map((cell, i) => cell.padStart(figures[i]![1]))].join(
    " ",
  );

const fixed = (value: number | null, digits: number, unit = "") => (value === null ? "" : value.toFixed(digits) + unit);
const spread = (value: Spread | null, show: (value: number) => string) => (value ? showSpread(value, show) : "");

export function printHeadings(): void {
  console.log(
    line(
      "case",
      "shape",
      figures.map(([heading]) => heading),
    ),
  );
}

/** @param verdicts of the row's targets */
export function printRow(row: Row, verdicts: readonly Verdict[]): void {
  const cells = [
    fixed(row.seconds * 1e3, 3, " ms"),
    fixed(row.gflops, 2),
    fixed(row.gigabytesPerSecond, 2),
    fixed(row.itemsPerSecond, row.itemsPerSecond! < 100 ? 1 : 0, ` ${row.unit}/s`),
    spread(row.timesPlain, showRatio),
    spread(row.shareOfPeak, showPercent),
  ];
  console.log([line(row.name, row.shape, cells), ...verdicts.map(describeVerdict)].join("  "));
}

/** Which targets were met and which were not, at the end of a run. */
export function printSummary(verdicts: readonly Verdict[]): void {
  if (verdicts.length === 0) return;
  const failed = verdicts.filter(({ passed }) => !passed);
  console.log(`\n${verdicts.length - failed.length} of ${verdicts.length} targets met`);
  for (const verdict of failed) console.log(`  ${verdict.row}: ${describeVerdict(verdict)}`);
}
