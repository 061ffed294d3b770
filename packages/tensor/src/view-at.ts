import type { DType } from "./dtype.ts";
import type { Shape } from "./shape.ts";
import { Tensor } from "./tensor.ts";

/**
 * Numbers in the buffer of a tensor, from a byte of the tensor on, without a copy. They are a value of their own: a tape tells them from the
 * tensor. They belong to no scope.
 * @param begin in bytes, so that kernels can bind what begins there
 */
export function viewAt<S extends Shape, D extends DType>(
  { device, storage, dtype, label: own }: Tensor<Shape, D>,
  begin: number,
  shape: S,
  label = own,
): Tensor<S, D> {
  return new Tensor(device, storage.part(storage.offset + begin), shape, dtype, label);
}
