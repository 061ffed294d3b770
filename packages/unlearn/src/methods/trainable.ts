import type { LoraSettings, TrainableFilter } from "@lethe/autograd";
import type { Decoder } from "@lethe/decoder";
import { LetheError } from "@lethe/tensor";
import { atLeast, checked, options, text } from "@lethe/tensor/checked";

/** Says what of a model is trained: whole weights, one column of each, or a low-rank update of each. */
export interface TrainedPart extends TrainableFilter {
  /** Of each of these matrices W only the update (alpha / rank) · B A is trained, see `Lora`. It is in W whenever the model is measured. */
  readonly lowRank?: Pick<LoraSettings, "rank" | "alpha">;
  /** @throws {LetheError} when a model of these sizes has no such part; it says the limits */
  readonly requireIn?: (sizes: Pick<Decoder["config"], "num_hidden_layers" | "intermediate_size">) => void;
}

const isValueVectors = (name: string) => /(?:^|\.)mlp\.down_proj\.weight$/.test(name);
const isProjection = (name: string) => /(?:^|\.)layers\.\d+\..*_proj\.weight$/.test(name);

/** Every weight. */
const allWeights: TrainedPart = { label: "all weights", accepts: () => true };

/** The value vectors W_V of every layer: `all_value_vectors` of the released code. */
export const valueVectors: TrainedPart = { label: "value vectors W_V", accepts: isValueVectors };

/** One value vector: the concept vector `dim` of `layer` (`Needle` of the released code). @function */
export const needle = checked(
  "needle",
  { place: options({ layer: atLeast(0), dim: atLeast(0) }) },
  ({ layer, dim }: { readonly layer: number; readonly dim: number }): TrainedPart => ({
    label: `needle ${dim} of layer ${layer}`,
    accepts: (name) => isValueVectors(name) && name.includes(`layers.${layer}.`),
    column: dim,
    requireIn({ num_hidden_layers: layers, intermediate_size: dims }) {
      if (layer < layers && dim < dims) return;
      throw new LetheError(
        `needle ${dim} of layer ${layer}: the model has layers 0 to ${layers - 1}, and value vectors 0 to ${dims - 1} in each`,
      );
    },
  }),
);

/**
 * A low-rank update of every projection of every block (LoRA, Hu et al. 2021), with alpha = 2 · rank: embedding, unembedding and norms stay.
 * @function
 */
export const lowRank = checked(
  "lowRank",
  { options: options({ rank: atLeast(1) }) },
  ({ rank }: { readonly rank: number }): TrainedPart => ({
    label: `LoRA of rank ${rank}`,
    accepts: isProjection,
    lowRank: { rank, alpha: 2 * rank },
  }),
);

/** The names that {@link trainedPart} knows, for help and errors. */
export const trainedPartForms = "all, W_V, needle:LAYER.DIM or lora:RANK";

const whole = "(0|[1-9]\\d{0,8})";
const parsers: readonly (readonly [form: RegExp, part: (...numbers: number[]) => TrainedPart])[] = [
  [/^all$/, () => allWeights],
  [/^W_V$/, () => valueVectors],
  [new RegExp(`^needle:${whole}\\.${whole}$`), (layer, dim) => needle({ layer: layer!, dim: dim! })],
  [/^lora:([1-9]\d{0,8})$/, (rank) => lowRank({ rank: rank! })],
];

/**
 * What a name says is trained. Each part has one name.
 * @throws {LetheError} for another name; it says the forms
 * @function
 */
export const trainedPart = checked("trainedPart", { name: text }, (name: string): TrainedPart => {
  for (const [form, part] of parsers) {
    const found = form.exec(name);
    if (found) return part(...found.slice(1).map(Number));
  }
  throw new LetheError(`"${name}" names no part of a model that can be trained; expected ${trainedPartForms}`);
});
