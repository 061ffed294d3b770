import { ShapeError } from "../errors.ts";
import { type Shape, show, sizeOf } from "../shape.ts";
import type { Tensor } from "../tensor.ts";

/** Throws a {@link ShapeError} unless tensors, given by the names of their arguments, have exactly this shape. */
export function checkShapes(operation: string, tensors: Readonly<Record<string, Tensor>>, shape: Shape): void {
  for (const name in tensors) {
    const { shape: actual } = tensors[name]!;
    if (actual.length !== shape.length || actual.some((dim, i) => dim !== shape[i]))
      throw new ShapeError(`${operation}: ${name} has shape ${show(actual)} and must have ${show(shape)}`);
  }
}

/** An axis counted from the start; −1 is the last. */
export function resolveAxis(operation: string, shape: Shape, axis: number): number {
  const resolved = axis < 0 ? axis + shape.length : axis;
  if (resolved < 0 || resolved >= shape.length)
    throw new ShapeError(`${operation}: axis ${axis} of ${show(shape)}, which has ${shape.length} axes`);
  return resolved;
}

/** Rows and width of a tensor seen as a matrix whose rows are its last axis. */
export function asRows(operation: string, shape: Shape): { rows: number; width: number } {
  const width = shape.at(-1);
  if (width === undefined || width === 0)
    throw new ShapeError(`${operation}: ${show(shape)} has no last axis, or an empty one`);
  return { rows: sizeOf(shape.slice(0, -1)), width };
}
