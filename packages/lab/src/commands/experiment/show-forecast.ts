import { mega } from "../../cells/forecast/memory.ts";
import type { CellForecast } from "../../cells/run-cells.ts";
import { formatDuration } from "../duration.ts";

/** What a cell took, beside its forecast. */
export function showTaken(
  taken: { readonly seconds: number; readonly bytes: number },
  { seconds, memory }: CellForecast,
): string {
  const time = `took ${formatDuration(taken.seconds)}, forecast ${formatDuration(seconds)}`;
  return `${time}; held ${mega(taken.bytes)} at most, forecast ${mega(bytesOf(memory))}`;
}

function bytesOf(memory: CellForecast["memory"]): number {
  return Object.values(memory).reduce((sum, bytes) => sum + bytes, 0);
}

/** A forecast as a small table: time by stage, and memory by part. */
export function showForecast(cell: string, { seconds, stages, memory }: CellForecast): string {
  const rows = [
    ...Object.entries(stages).map(([stage, time]) => [stage, formatDuration(time)] as const),
    ...Object.entries(memory).map(([part, bytes]) => [part, mega(bytes)] as const),
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  return [
    `${cell}: forecast ${formatDuration(seconds)} and ${mega(bytesOf(memory))} on the device:`,
    ...rows.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`),
  ].join("\n");
}
