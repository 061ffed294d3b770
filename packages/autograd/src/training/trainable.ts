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

const everything: TrainableFilter = { label: "selectTrainable", accepts: () => true };

/**
 * The parameters that a filter accepts, in their own order. A matrix under two names (tied embeddings) counts once.
 * @param filter default: every weight
 * @throws {LetheError} when the filter accepts none, one is not f32, or the filter's column does not exist
 * @function
 */
export const selectTrainable = checked(
  "selectTrainable",
  {
    weights: iterable,
    filter: optional(options({ label: text, accepts: callable, column: optional(anyNumber) })),
  },
  (
    weights: Iterable<readonly [string, Tensor]>,
    { label, accepts, column }: TrainableFilter = everything,
  ): Trainable[] => {
    const chosen = new Map<Tensor["storage"], Trainable>();
    for (const [name, weight] of weights) {
      if (!accepts(name) || chosen.has(weight.storage)) continue;
      if (weight.dtype !== "f32")
        throw new LetheError(`${name} is ${weight.dtype}; only f32 can be trained. Load the model with f32 weights.`);
      const width = weight.shape[1] ?? 0;
      if (column !== undefined && !(Number.isInteger(column) && column >= 0 && column < width))
        throw new LetheError(`${label}: ${name} has columns 0 to ${width - 1}, and column ${column} was asked for`);
      const trainable = { name, parameter: weight as F32 };
      chosen.set(weight.storage, column === undefined ? trainable : { ...trainable, column });
    }
    if (chosen.size === 0) throw new LetheError(`${label}: none of the weights is to be trained`);
    return [...chosen.values()];
  },
);
