import type { Row } from "./row.ts";

/** Widths of the two columns on the left; heading and width of each column of figures. */
const nameWidth = 24;
const shapeWidth = 36;
const figures = [
  ["time", 12],
  ["GFLOP/s", 9],
  ["GB/s", 7],
  ["throughput", 15],
  ["× plain", 8],
  ["of peak", 8],
] as const;

const line = (name: string, shape: string, cells: readonly string[]) =>
  [name.padEnd(nameWidth), shape.padEnd(shapeWidth), ...cells.map((cell, i) => cell.padStart(figures[i]![1]))].join(
    " ",
  );

const fixed = (value: number | null, digits: number, unit = "") => (value === null ? "" : value.toFixed(digits) + unit);

export function printHeadings(): void {
  console.log(
    line(
      "case",
      "shape",
      figures.map(([heading]) => heading),
    ),
  );
}

export function printRow(row: Row): void {
  const cells = [
    fixed(row.seconds * 1e3, 3, " ms"),
    fixed(row.gflops, 2),
    fixed(row.gigabytesPerSecond, 2),
    fixed(row.itemsPerSecond, row.itemsPerSecond! < 100 ? 1 : 0, ` ${row.unit}/s`),
    fixed(row.timesPlain, 1, "×"),
    fixed(row.shareOfPeak && row.shareOfPeak * 100, 0, " %"),
  ];
  console.log(line(row.name, row.shape, cells));
}

/** The first figure to look at: how much faster the planner’s choice for a 1024³ product is than the plain kernel. */
export function headline(rows: readonly Row[]): string | null {
  const square = rows.find(({ name, shape }) => name === "matmul planned" && shape.startsWith("1024×1024×1024 a·b"));
  if (!square) return null;
  return `1024³ f32 matmul: ${square.gflops!.toFixed(1)} GFLOP/s, ${square.timesPlain!.toFixed(1)}× the plain kernel`;
}
