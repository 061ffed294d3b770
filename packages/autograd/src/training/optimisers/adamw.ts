import { type AdamWOptions, adamwStep, type F32 } from "@lethe/tensor";
import { type Kind, notNegative, positive } from "@lethe/tensor/checked";
import { elements } from "../in-memory.ts";
import { Optimiser } from "../optimiser.ts";
import type { Trainable } from "../parameter.ts";
import type { OptimiserRule, OptimiserSettings, Slot } from "./rule.ts";

/** The hyper-parameters of {@link AdamW}, as `torch.optim.AdamW` names them but for the case. */
export interface AdamWSettings extends OptimiserSettings, Pick<AdamWOptions, "beta1" | "beta2" | "epsilon"> {}

const decayRate: Kind = {
  wanted: "a number from 0 to below 1",
  accepts: (value) => notNegative.accepts(value) && (value as number) < 1,
};

/** Kinds of the settings of AdamW, however it keeps its moments. */
export const adamwKinds = { beta1: decayRate, beta2: decayRate, epsilon: positive };

const moment = (name: string, part: string): Slot => ({ name, part, dtype: "f32", of: (shape) => shape });

/** AdamW with both moments in f32, named as torch names them: 8 bytes a parameter. */
export const adamw = {
  name: "adamw",
  label: "AdamW",
  description: "AdamW with moments in f32, 8 bytes a parameter",
  settings: adamwKinds,
  slots: [moment("exp_avg", "AdamW's first moments"), moment("exp_avg_sq", "AdamW's second moments")],
  elementwise: true,
  columns: true,
  grain: (shape, column) => (column === undefined ? 1 : shape[1]!),
  begin({ gradient, state, weightDecay, column }, { beta1, beta2, epsilon }, moment) {
    const options = { ...moment, beta1, beta2, epsilon, weightDecay, ...(column && { column }) };
    return (values, start) => {
      const [g, m, v] = [gradient, state.exp_avg!, state.exp_avg_sq!].map((each) =>
        elements(each as F32, start, values.size),
      );
      adamwStep(values, g!, m!, v!, options);
    };
  },
} as const satisfies OptimiserRule<AdamWSettings>;

/**
 * AdamW with decoupled weight decay (Loshchilov & Hutter 2019), updating parameters in place. Both moments are f32 and belong to the
 * optimiser until it is disposed of.
 */
export class AdamW extends Optimiser<AdamWSettings> {
  /** @throws {LetheError} when `trainables` is empty, or a setting is out of its range */
  constructor(trainables: readonly Trainable[], settings: AdamWSettings) {
    super(adamw, trainables, settings);
  }
}
