import { LetheError, type Tensor } from "@lethe/tensor";
import { anyNumber, callable, checked, iterable, oneOf, optional, options, text } from "@lethe/tensor/checked";
import type { SelectedWeight, Trainable } from "./parameter.ts";
import { requireWeights, type trainedWeights, type WeightsName, weightsNames } from "./weights/list.ts";

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

const selection = {
  weights: iterable,
  filter: optional(options({ label: text, accepts: callable, column: optional(anyNumber) })),
};

/** The dtype of trained weights that are kept in one of the ways. */
type DTypeOf<K extends WeightsName> = Extract<(typeof trainedWeights)[number], { readonly name: K }>["dtype"];

/**
 * The parameters that a filter accepts, in their own order. A matrix under two names (tied embeddings) counts once.
 * @param filter default: every weight
 * @param kept how the trained weights are kept. Default: `f32`
 * @throws {LetheError} when the filter accepts none, one has another dtype than weights that are kept so, or the filter's column does not exist
 * @function
 */
export const selectTrainable = checked(
  "selectTrainable",
  { ...selection, kept: optional(oneOf(weightsNames)) },
  <K extends WeightsName = "f32">(
    weights: Iterable<readonly [string, Tensor]>,
    filter?: TrainableFilter,
    kept?: K,
  ): Trainable<DTypeOf<K>>[] => {
    const chosen = selectWeights(weights, filter);
    requireWeights(chosen, kept);
    return chosen as Trainable<DTypeOf<K>>[];
  },
);

/**
 * As {@link selectTrainable}, of weights of any dtype: to plan the training of a copy.
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
