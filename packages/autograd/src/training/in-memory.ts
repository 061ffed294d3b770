import {
  bytesPerElement,
  type DType,
  fillInto,
  follows,
  type Shape,
  stretch,
  type Tensor,
  together,
  viewAt,
} from "@lethe/tensor";
import type { Trainable } from "./parameter.ts";

// Parameters of a model lie in few buffers, one after another. What belongs to them lies in the same order, so that few dispatches reach all.

/** Trainables in the order in which their parameters lie in memory: buffers as they come first, and tensors in a buffer by their places. */
export function inMemory<T extends Pick<Trainable, "parameter">>(trainables: readonly T[]): T[] {
  const buffers = new Map<unknown, number>();
  for (const { parameter } of trainables)
    if (!buffers.has(parameter.storage.buffer)) buffers.set(parameter.storage.buffer, buffers.size);
  const place = ({ parameter: { storage } }: T) => [buffers.get(storage.buffer)!, storage.offset] as const;
  return trainables.toSorted((a, b) => {
    const [one, other] = [place(a), place(b)];
    return one[0] - other[0] || one[1] - other[1];
  });
}

/** A tensor to be made. */
export interface Wanted {
  readonly shape: Shape;
  readonly label: string;
}

/** The tensors, one after another. They belong to no scope, and their values are undefined. */
export function laidOut<D extends DType>(like: Tensor, wanted: readonly Wanted[], dtype: D): Tensor<Shape, D>[] {
  return together(
    like.device,
    wanted.map((each) => [each]),
    dtype,
  );
}

/** As {@link laidOut}, of zeros. */
export function zerosLaidOut<D extends "f32" | "u32">(
  like: Tensor,
  wanted: readonly Wanted[],
  dtype: D,
): Tensor<Shape, D>[] {
  const tensors = laidOut(like, wanted, dtype);
  for (const run of cut<Tensor<Shape, D>>(tensors, follows)) {
    using whole = stretch(run[0]!, run.at(-1)!);
    fillInto(whole, 0);
  }
  return tensors;
}

/** Cuts a list where a rule does not hold between two neighbours. */
export function cut<T>(list: readonly T[], holds: (one: T, next: T) => boolean): T[][] {
  const runs: T[][] = [];
  for (const [i, item] of list.entries()) {
    if (i > 0 && holds(list[i - 1]!, item)) runs.at(-1)!.push(item);
    else runs.push([item]);
  }
  return runs;
}

/** Some elements of a tensor as one row, without a copy. They begin at a byte that kernels can bind, and belong to the innermost open scope. */
export function elements<D extends DType>(tensor: Tensor<Shape, D>, start: number, count: number): Tensor<Shape, D> {
  const view = viewAt(tensor, start * bytesPerElement[tensor.dtype], [count]);
  tensor.device.own(view);
  return view;
}
