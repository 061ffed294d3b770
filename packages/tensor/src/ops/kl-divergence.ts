import { checked, f32, i32 } from "./checked.ts";
import type { Ops } from "./ops.ts";
import { reductionOption, tokenLoss, tokenLossBackward } from "./token-losses.ts";

/** {@inheritDoc DifferentiableOps.klDivergence} @function */
export const klDivergence: Ops["klDivergence"] = checked(
  "klDivergence",
  { reference: f32, logits: f32, labels: i32, options: reductionOption },
  (reference, logits, labels, { reduction }) =>
    tokenLoss({ operation: "klDivergence", logits, labels, reference, reduction }),
);

/** {@inheritDoc BackwardOps.klDivergenceBackward} @function */
export const klDivergenceBackward: Ops["klDivergenceBackward"] = checked(
  "klDivergenceBackward",
  { reference: f32, logits: f32, labels: i32, gradient: f32, options: reductionOption },
  (reference, logits, labels, gradient, { reduction }) =>
    tokenLossBackward({ operation: "klDivergenceBackward", logits, labels, reference, reduction }, gradient),
);
