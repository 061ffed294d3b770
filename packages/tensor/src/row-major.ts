import { showValue } from "./arguments.ts";
import type { DType } from "./dtype.ts";
import { ArgumentError } from "./errors.ts";
import { type Shape, show } from "./shape.ts";

/** Numbers in row-major order, or in nested arrays: `[[1, 2], [3, 4]]`. */
export type Values = ArrayLike<number> | readonly Values[];

/**
 * The numbers of a new tensor in row-major order.
 * @throws {ArgumentError} when nested arrays do not have the shape, or a value is not a number that the dtype holds.
 */
export function rowMajor(values: Values, shape: Shape, dtype: DType): ArrayLike<number> {
  const nested = Array.isArray(values) && values.some(Array.isArray);
  if (nested && !fills(values, shape, 0))
    throw new ArgumentError(
      `tensor: values are nested arrays of ${show(outline(values))}; expected numbers, or arrays of ${show(shape)} that are equally long along each axis`,
    );
  const flat = (nested ? values.flat(shape.length - 1) : values) as ArrayLike<number>;
  if (flat instanceof Float32Array && dtype !== "i32" && dtype !== "u32") return flat;
  const isHeld = holds[dtype];
  for (let i = 0; i < flat.length; i++)
    if (!isHeld(flat[i]))
      throw new ArgumentError(`tensor: values[${i}] is ${showValue(flat[i])}; expected a number that ${dtype} holds`);
  return flat;
}

const isNumber = (value: unknown) => typeof value === "number";
const holds: Record<DType, (value: unknown) => boolean> = {
  f32: isNumber,
  f16: isNumber,
  bf16: isNumber,
  i32: (value) => isNumber(value) && ((value as number) | 0) === value,
  u32: (value) => isNumber(value) && (value as number) >>> 0 === value,
};

/** Whether arrays, nested as deep as the shape from an axis on, have its lengths everywhere. */
function fills(values: unknown, shape: Shape, axis: number): boolean {
  if (axis === shape.length) return !Array.isArray(values);
  return Array.isArray(values) && values.length === shape[axis] && values.every((v) => fills(v, shape, axis + 1));
}

/** Lengths of nested arrays, along the first element of each. */
function outline(values: unknown): number[] {
  return Array.isArray(values) ? [values.length, ...outline(values[0])] : [];
}
