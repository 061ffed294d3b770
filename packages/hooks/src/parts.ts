import type { F32, Ops } from "@lethe/tensor";
import { HookError } from "./errors.ts";
import { type Site, sites } from "./sites.ts";

/** Places along one axis of an activation: some positions, or some heads. */
export interface Part {
  readonly axis: number;
  readonly places: readonly number[];
}

/** @throws {HookError} when one of `heads` is none of so many, or is named twice */
export function checkHeads(heads: readonly number[], count: number, what: string): void {
  for (const [i, head] of heads.entries()) {
    if (!Number.isInteger(head) || head < 0 || head >= count)
      throw new HookError(`${what} has heads 0 to ${count - 1}; head ${head} was asked for`);
    if (heads.indexOf(head) !== i) throw new HookError(`${what}: head ${head} is named twice`);
  }
}

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

/** The part of a site's tensor at some positions and heads; undefined stands for all of them. */
export function partsAt(
  site: Site,
  positions: readonly number[] | undefined,
  heads: readonly number[] | undefined,
): Part[] {
  const { positionAxis = 1, headAxis = 0 } = sites[site];
  return [
    ...(positions ? [{ axis: positionAxis, places: positions }] : []),
    ...(heads ? [{ axis: headAxis, places: heads }] : []),
  ];
}

/** A part of x: of each of `parts` its places alone, in the order given. */
export function takeParts(ops: Ops, x: F32, parts: readonly Part[]): F32 {
  return parts.reduce((taken, part) => takePart(ops, taken, part), x);
}

/** `x` with a part of it, of the shape that {@link takeParts} gives, replaced by `values`. Every other element keeps its bits. */
export function putParts(ops: Ops, x: F32, parts: readonly Part[], values: F32): F32 {
  const [part, ...inner] = parts;
  if (!part) return values;
  return putPart(ops, x, part, inner.length > 0 ? putParts(ops, takePart(ops, x, part), inner, values) : values);
}

function takePart(ops: Ops, x: F32, { axis, places }: Part): F32 {
  const { outer, size, inner, flat } = rowsAlong(ops, x, axis);
  const rows: number[] = [];
  for (let o = 0; o < outer; o++) for (const place of places) rows.push(o * size + place);
  const taken = ops.gatherRows(flat, x.device.tensor(rows, [rows.length], "u32", "hooked places"));
  return ops.reshape(taken, { shape: [...x.shape.slice(0, axis), places.length, ...inner] });
}

function putPart(ops: Ops, x: F32, { axis, places }: Part, values: F32): F32 {
  const { outer, size, flat } = rowsAlong(ops, x, axis);
  const all = outer * size;
  const rows = Array.from({ length: all }, (_, row) => row);
  for (let o = 0; o < outer; o++)
    for (const [p, place] of places.entries()) rows[o * size + place] = all + o * places.length + p;
  const both = ops.concat(flat, rowsAlong(ops, values, axis).flat, { axis: 0 });
  const mixed = ops.gatherRows(both, x.device.tensor(rows, [all], "u32", "hooked places"));
  return ops.reshape(mixed, { shape: x.shape });
}

/** `x` as one row for each place along an axis, with the sizes before, along and after it. */
function rowsAlong(ops: Ops, x: F32, axis: number) {
  const [size = 0, ...inner] = x.shape.slice(axis);
  const outer = x.shape.slice(0, axis).reduce((product, dim) => product * dim, 1);
  return { outer, size, inner, flat: ops.reshape(x, { shape: [outer * size, ...inner] }) };
}
