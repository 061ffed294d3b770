import { checked, f32, i32 } from "./checked.ts";
import type { Ops } from "./ops.ts";
import { reductionOption, tokenLoss, tokenLossBackward } from "./token-losses.ts";

/** {@inheritDoc DifferentiableOps.crossEntropy} @function */
export const crossEntropy: Ops["crossEntropy"] = checked(
  "crossEntropy",
  { logits: f32, labels: i32, options: reductionOption },
  (logits, labels, { reduction }) => tokenLoss({ operation: "crossEntropy", logits, labels, reduction }),
);

/** {@inheritDoc BackwardOps.crossEntropyBackward} @function */
export const crossEntropyBackward: Ops["crossEntropyBackward"] = checked(
  "crossEntropyBackward",
  { logits: f32, labels: i32, gradient: f32, options: reductionOption },
  (logits, labels, gradient, { reduction }) =>
    tokenLossBackward({ operation: "crossEntropyBackward", logits, labels, reduction }, gradient),
);
