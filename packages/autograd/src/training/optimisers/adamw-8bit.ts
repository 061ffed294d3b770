import { adamw8bitStep, type F32, type Shape, type Tensor } from "@lethe/tensor";
import { elements } from "../in-memory.ts";
import { Optimiser } from "../optimiser.ts";
import type { Trainable } from "../parameter.ts";
import { type AdamWSettings, adamwKinds } from "./adamw.ts";
import type { OptimiserRule, Slot } from "./rule.ts";

/** Elements of a block, which share a scale. */
const block = 256;
/** Elements whose scales begin at a byte that kernels can bind, of any adapter: WebGPU aligns by 256 bytes at most. */
const grain = (256 / 4) * block;

/** A row with one item for each so many elements. */
const every =
  (count: number) =>
  (shape: Shape): Shape => [Math.ceil(shape.reduce((product, dim) => product * dim, 1) / count)];
const codes = (name: string, part: string): Slot => ({ name, part, dtype: "u32", of: every(4) });
const scales = (name: string, part: string): Slot => ({ name, part, dtype: "f32", of: every(block) });

/**
 * AdamW with both moments in 8 bits (Dettmers et al. 2022): each block of 256 elements has a scale, so that a moment takes 1 + 4/256 bytes a
 * parameter. The tensors are called as bitsandbytes calls them; four codes are a word.
 */
export const adamw8bit = {
  name: "adamw-8bit",
  label: "AdamW in 8 bits",
  description: "AdamW with moments of 8 bits in blocks of 256, 2.03 bytes",
  settings: adamwKinds,
  slots: [
    codes("state1", "AdamW's first moments"),
    scales("absmax1", "AdamW's first moments"),
    codes("state2", "AdamW's second moments"),
    scales("absmax2", "AdamW's second moments"),
  ],
  // Blocks are those of one parameter.
  elementwise: false,
  columns: false,
  grain: () => grain,
  begin({ gradient, state, weightDecay }, { beta1, beta2, epsilon }, at) {
    const options = { ...at, beta1, beta2, epsilon, weightDecay };
    return (values, start) => {
      const part = (tensor: Tensor, count: number) => elements(tensor, start / count, Math.ceil(values.size / count));
      const moment = (number: 1 | 2) => ({
        codes: part(state[`state${number}`]!, 4) as Tensor<Shape, "u32">,
        scales: part(state[`absmax${number}`]!, block) as F32,
      });
      adamw8bitStep(values, part(gradient, 1) as F32, moment(1), moment(2), options);
    };
  },
} as const satisfies OptimiserRule<AdamWSettings>;

/** AdamW with moments of 8 bits in blocks of 256 (Dettmers et al. 2022), of given parameters. */
export class AdamW8bit extends Optimiser<AdamWSettings> {
  /** @throws {LetheError} when `trainables` is empty, or a setting is out of its range */
  constructor(trainables: readonly Trainable[], settings: AdamWSettings) {
    super(adamw8bit, trainables, settings);
  }
}
