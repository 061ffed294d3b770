import Table from "cli-table3";
import { nameOf } from "../../plan/choices.ts";
import type { PlannedRow } from "../../plan/plan.ts";
import { formatDuration } from "../duration.ts";

/** “26.95 GB”, “650 MB”, “13 kB” */
export function showBytes(bytes: number): string {
  const [unit, divisor] = bytes >= 1e9 ? ["GB", 1e9] : bytes >= 1e6 ? ["MB", 1e6] : ["kB", 1e3];
  return `${Number((bytes / divisor).toPrecision(4)).toLocaleString("en-US")} ${unit}`;
}

/** Whether a row fits, and by how much. */
function verdict({ bytes, fits }: PlannedRow, memory: number): string {
  return fits ? `fits, ${showBytes(memory - bytes)} left` : `${showBytes(bytes - memory)} too much`;
}

/** Lines without a frame, so that a table can be read and copied anywhere. */
const plain = {
  chars: Object.fromEntries(
    ["top", "bottom", "left", "right", "mid"].flatMap((place) =>
      [place, `${place}-left`, `${place}-mid`, `${place}-right`].map((part) => [part, ""]),
    ),
  ),
  style: { head: [], border: [], "padding-left": 0, "padding-right": 2 },
};

/** Rows as a table, those that take least first, each with its parts, the largest first. */
export function showRows(rows: readonly PlannedRow[], memory: number): string {
  const table = new Table({
    ...plain,
    head: ["trained", "method", "memory", "", "time", "its parts", ""],
    colAligns: ["left", "left", "right", "left", "right", "right", "left"],
  });
  for (const row of rows) {
    const { choice, methods, bytes, seconds, parts } = row;
    table.push([
      nameOf(choice),
      methods.join("\n"),
      showBytes(bytes),
      verdict(row, memory),
      formatDuration(seconds),
      parts.map((part) => showBytes(part.bytes)).join("\n"),
      parts.map(({ part }) => part).join("\n"),
    ]);
  }
  return table.toString().replace(/ +$/gm, "");
}
