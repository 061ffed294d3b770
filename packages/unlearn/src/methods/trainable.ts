import type { TrainableFilter } from "@lethe/autograd";
import { atLeast, checked, options } from "@lethe/tensor/checked";

const isValueVectors = (name: string) => /(?:^|\.)mlp\.down_proj\.weight$/.test(name);

/** The value vectors W_V of every layer: `all_value_vectors` of the released code. */
export const valueVectors: TrainableFilter = { label: "all_value_vectors", accepts: isValueVectors };

/** One value vector: the concept vector `dim` of `layer` (`Needle` of the released code). @function */
export const needle = checked(
  "needle",
  { place: options({ layer: atLeast(0), dim: atLeast(0) }) },
  ({ layer, dim }: { readonly layer: number; readonly dim: number }): TrainableFilter => {
    const accepts = (name: string) => isValueVectors(name) && name.includes(`layers.${layer}.`);
    return { label: `needle ${dim} of layer ${layer}`, accepts, column: dim };
  },
);
