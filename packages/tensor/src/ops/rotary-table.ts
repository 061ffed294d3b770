import type { Binding } from "../tensor.ts";
import type { F32 } from "./ops.ts";
import { part, partsOf } from "./parts.ts";

/** Runs a kernel for each part of a rotary table `[P, D]` that fits one binding, with the parameters that `lib/rotary_table.wgsl` reads. */
export function inTableParts(
  table: F32,
  run: (bound: Binding, params: Readonly<Record<string, number>>) => void,
): void {
  const [rows = 0, width = 0] = table.shape;
  for (const { start, count } of partsOf(table.device, rows, [[table, width]]))
    run(part(table, width, start, count, rows), { first_row: start, part_rows: count, rows, nan_bits: 0x7fc00000 });
}
