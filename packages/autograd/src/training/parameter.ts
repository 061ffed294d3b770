import type { FloatDType, Shape, Tensor } from "@lethe/tensor";

/** A parameter that is trained, whole or in one column. */
export interface Trainable<D extends FloatDType = FloatDType> {
  /** Hugging Face's name of the weight. */
  readonly name: string;
  readonly parameter: Tensor<Shape, D>;
  /** Only this column of the matrix is trained. */
  readonly column?: number;
}

/** A weight that a filter accepts, in whatever dtype it has. */
export interface SelectedWeight extends Omit<Trainable, "parameter"> {
  readonly parameter: Tensor;
}
