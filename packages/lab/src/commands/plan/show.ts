import Table from "cli-table3";
import { nameOf } from "../../plan/choices.ts";
import type { PlannedRow } from "../../plan/plan.ts";
import { formatDuration } from "../duration.ts";
import { showBytes } from "../show-bytes.ts";

/** Whether a row fits, and by how much. */
function verdict({ bytes }: PlannedRow, memory: number): string {
  return bytes <= memory ? `fits: ${showBytes(memory - bytes)} left` : `${showBytes(bytes - memory)} too much`;
}

/** Lines without a frame, so that a table can be read and copied anywhere. */
const plain = {
  chars: Object.fromEntries(
    ["top", "bottom", "left", "right", "mid"].flatMap((place) =>
      [place, `${place}-left`, `${place}-mid`, `${place}-right`, "middle"].map((part) => [part, ""]),
    ),
  ),
  style: { head: [], border: [], "padding-left": 0, "padding-right": 2 },
};

/**
 * Rows as a table, in their order.
 * @param memories of the devices that they may fit
 * @param withParts whether each row has its parts beside it
 */
export function showRows(rows: readonly PlannedRow[], memories: readonly number[], withParts: boolean): string {
  const columns: readonly (readonly [head: string, align: "left" | "right", cell: (row: PlannedRow) => string])[] = [
    ["trained", "left", ({ choice }) => nameOf(choice)],
    ["method", "left", ({ methods }) => methods.join("\n")],
    ["memory", "right", ({ bytes }) => showBytes(bytes)],
    ["a parameter", "right", ({ perParameter }) => `${perParameter.toFixed(1)} B`],
    ...memories.map(
      (memory) => [`on ${showBytes(memory)}`, "right", (row: PlannedRow) => verdict(row, memory)] as const,
    ),
    ["time", "right", ({ seconds }) => formatDuration(seconds)],
    ...(withParts
      ? [
          [
            "its parts",
            "right",
            ({ parts }: PlannedRow) => parts.map(({ bytes }) => showBytes(bytes)).join("\n"),
          ] as const,
          ["", "left", ({ parts }: PlannedRow) => parts.map(({ part }) => part).join("\n")] as const,
        ]
      : []),
  ];
  const table = new Table({
    ...plain,
    head: columns.map(([head]) => head),
    colAligns: columns.map(([, align]) => align),
  });
  for (const row of rows) table.push(columns.map(([, , cell]) => cell(row)));
  return table.toString().replace(/ +$/gm, "");
}
