import type { F32, Ops } from "@lethe/tensor";
import { HookError } from "./errors.ts";

/**
 * Columns of the batch as indices from 0.
 * @param length T, the number of columns
 * @throws {HookError} when one is outside the batch or named twice.
 */
export function columnsOf(positions: readonly number[], length: number, what: string): number[] {
  const columns = positions.map((position) => (position < 0 ? position + length : position));
  for (const [i, column] of columns.entries()) {
    if (!Number.isInteger(column) || column < 0 || column >= length)
      throw new HookError(`${what}: position ${positions[i]} is outside this run's ${length} positions`);
    if (columns.indexOf(column) !== i) throw new HookError(`${what}: position ${column} is named twice`);
  }
  return columns;
}

/** Some columns of `x [B, T, …]`, as `[B, P, …]`. */
export function takeColumns(ops: Ops, x: F32, columns: readonly number[]): F32 {
  const [sequences, length, ...rest] = x.shape as [number, number, ...number[]];
  const rows: number[] = [];
  for (let b = 0; b < sequences; b++) for (const column of columns) rows.push(b * length + column);
  const flat = ops.reshape(x, { shape: [sequences * length, ...rest] });
  const taken = ops.gatherRows(flat, x.device.tensor(rows, [rows.length], "u32", "hooked positions"));
  return ops.reshape(taken, { shape: [sequences, columns.length, ...rest] });
}

/** `x [B, T, …]` with some columns replaced by `values [B, P, …]`. The other columns keep every bit. */
export function putColumns(ops: Ops, x: F32, columns: readonly number[], values: F32): F32 {
  const [sequences, length, ...rest] = x.shape as [number, number, ...number[]];
  const all = sequences * length;
  const rows = Array.from({ length: all }, (_, row) => row);
  for (let b = 0; b < sequences; b++) {
    for (const [p, column] of columns.entries()) rows[b * length + column] = all + b * columns.length + p;
  }
  const both = ops.concat(
    ops.reshape(x, { shape: [all, ...rest] }),
    ops.reshape(values, { shape: [sequences * columns.length, ...rest] }),
    { axis: 0 },
  );
  const mixed = ops.gatherRows(both, x.device.tensor(rows, [all], "u32", "hooked positions"));
  return ops.reshape(mixed, { shape: x.shape });
}
