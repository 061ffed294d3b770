import { type F32, LetheError, type Tensor } from "@lethe/tensor";
import { anyNumber, callable, checked, iterable, optional, options, text } from "@lethe/tensor/checked";

/** A parameter that is trained, whole or in one column. */
export interface Trainable {
  /** Hugging Face's name of the weight. */
  readonly name: string;
  readonly parameter: F32;
  /** Only this column of the matrix is trained. */
  readonly column?: number;
}

/** Says which weights of a model are trained. */
export interface TrainableFilter {
  /** What to call the filter in errors. */
  readonly label: string;
  /** Whether the weight of this name is trained. */
  readonly accepts: (name: string) => boolean;
  /** Of each of these matrices only this column is trained. Default: the whole weight. */
  readonly column?: number;
}

/** A weight that a filter accepts, in whatever dtype it has. */
export interface SelectedWeight extends Omit<Trainable, "parameter"> {
  readonly parameter: Tensor;
}

const everything: TrainableFilter = { label: "selectTrainable", accepts: () => true };

const selection = {
  weights: iterable,
  filter: optional(options({ label: text, accepts: callable, column: optional(anyNumber) })),
};

/**
 * The parameters that a filter accepts, in their own order. A matrix under two names (tied embeddings) counts once.
 * @param filter default: every weight
 * @throws {LetheError} when the filter accepts none, one is not f32, or the filter's column does not exist
 * @function
 */
export const selectTrainable = checked(
  "selectTrainable",
  selection,
  (weights: Iterable<readonly [string, Tensor]>, filter?: TrainableFilter): Trainable[] => {
    const chosen = selectWeights(weights, filter);
    const packed = chosen.find(({ parameter }) => parameter.dtype !== "f32");
    if (packed)
      throw new LetheError(
        `${packed.name} is ${packed.parameter.dtype}; only f32 can be trained. Load the model with f32 weights.`,
      );
    return chosen as Trainable[];
  },
);

/**
 * As {@link selectTrainable}, also of packed weights: to plan the training of a copy in f32.
 * @throws {LetheError} when the filter accepts none, or the filter's column does not exist
 * @function
 */
export const selectWeights = checked(
  "selectWeights",
  selection,
  (
    weights: Iterable<readonly [string, Tensor]>,
    { label, accepts, column }: TrainableFilter = everything,
  ): SelectedWeight[] => {
    const chosen = new Map<Tensor["storage"], SelectedWeight>();
    for (const [name, weight] of weights) {
      if (!accepts(name) || chosen.has(weight.storage)) continue;
      const width = weight.shape[1] ?? 0;
      if (column !== undefined && !(Number.isInteger(column) && column >= 0 && column < width))
        throw new LetheError(`${label}: ${name} has columns 0 to ${width - 1}, and column ${column} was asked for`);
      const trainable = { name, parameter: weight };
      chosen.set(weight.storage, column === undefined ? trainable : { ...trainable, column });
    }
    if (chosen.size === 0) throw new LetheError(`${label}: none of the weights is to be trained`);
    return [...chosen.values()];
  },
);
