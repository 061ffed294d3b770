import { type DType, type Shape, Tensor } from "@lethe/tensor";

/**
 * A second reference to a tensor's numbers, without a copy and owned by no scope: whoever holds it disposes of it. It keeps the buffer
 * alive after the scope that made the tensor has ended.
 */
export function hold<S extends Shape, D extends DType>(tensor: Tensor<S, D>): Tensor<S, D> {
  return new Tensor(tensor.storage.hold(), tensor.shape, tensor.dtype, tensor.label);
}
