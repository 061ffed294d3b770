import { mega } from "../../cells/forecast/memory.ts";
import type { CellForecast } from "../../cells/run-cells.ts";
import { formatDuration } from "../duration.ts";

/** A forecast as a small table: time by stage, and memory by part. */
export function showForecast(cell: string, { seconds, stages, memory }: CellForecast): string {
  const total = Object.values(memory).reduce((sum, bytes) => sum + bytes, 0);
  const rows = [
    ...Object.entries(stages).map(([stage, time]) => [stage, formatDuration(time)] as const),
    ...Object.entries(memory).map(([part, bytes]) => [part, mega(bytes)] as const),
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  return [
    `${cell}: forecast ${formatDuration(seconds)} and ${mega(total)} on the device:`,
    ...rows.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`),
  ].join("\n");
}
