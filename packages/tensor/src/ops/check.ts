import type { DType } from "../dtype.ts";
import { ShapeError } from "../errors.ts";
import { type Shape, show } from "../shape.ts";
import type { Tensor } from "../tensor.ts";

/** Throws a {@link ShapeError} unless a tensor has one of the dtypes an operation reads. */
export function checkDType(operation: string, role: string, tensor: Tensor, ...allowed: readonly DType[]): void {
  if (!allowed.includes(tensor.dtype))
    throw new ShapeError(
      `${operation}: ${role} ${show(tensor.shape)} is ${tensor.dtype} and must be ${allowed.join(" or ")}`,
    );
}

/** Throws unless every tensor is f32. */
export function checkF32(operation: string, tensors: Readonly<Record<string, Tensor>>): void {
  for (const role in tensors) checkDType(operation, role, tensors[role]!, "f32");
}

/** Throws a {@link ShapeError} unless a tensor has exactly this shape. */
export function checkShapeIs(operation: string, role: string, tensor: Tensor, shape: Shape): void {
  const { shape: actual } = tensor;
  if (actual.length !== shape.length || actual.some((dim, i) => dim !== shape[i]))
    throw new ShapeError(`${operation}: ${role} has shape ${show(actual)} and must have ${show(shape)}`);
}

/** An axis counted from the start; −1 is the last. */
export function resolveAxis(operation: string, shape: Shape, axis: number): number {
  const resolved = axis < 0 ? axis + shape.length : axis;
  if (!Number.isInteger(resolved) || resolved < 0 || resolved >= shape.length)
    throw new ShapeError(`${operation}: axis ${axis} of ${show(shape)}, which has ${shape.length} axes`);
  return resolved;
}

/** Rows and width of a tensor seen as a matrix whose rows are its last axis. */
export function asRows(operation: string, shape: Shape): { rows: number; width: number } {
  const width = shape.at(-1);
  if (width === undefined || width === 0)
    throw new ShapeError(`${operation}: ${show(shape)} has no last axis to work along`);
  return { rows: shape.slice(0, -1).reduce((product, dim) => product * dim, 1), width };
}
