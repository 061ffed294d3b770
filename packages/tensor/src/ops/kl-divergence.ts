import { checkSameShape, type Shape } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { checkF32 } from "./check.ts";
import type { F32, Reduction } from "./ops.ts";
import { runItems } from "./parts.ts";
import { planRows } from "./row-plan.ts";
import { checkTokens, reduceLosses, tokenWeights } from "./token-losses.ts";

/**
 * `KL(softmax(reference) ‖ softmax(logits))` of each row of `[…, V]`. Labels `[…]` only say which rows count: all but those of
 * −100. `mean` divides by the number of rows that count and is 0 when none does.
 */
export function klDivergence(
  reference: F32,
  logits: F32,
  labels: Tensor<Shape, "i32">,
  { reduction }: { readonly reduction: Reduction },
): F32 {
  const { rows, width } = checkPair("klDivergence", reference, logits, labels);
  const { device } = logits;
  return device.scoped("klDivergence", () => {
    const losses = device.empty(labels.shape, "f32", "klDivergence");
    const plan = planRows(device.capabilities, width);
    runItems(device, {
      kernel: "kl_divergence",
      constants: { ...plan },
      items: rows,
      workgroups: (count) => Math.ceil(count / plan.ROWS),
      split: { reference: [reference, width], logits: [logits, width], labels: [labels, 1], out: [losses, 1] },
      params: (count) => ({ rows: count, width }),
    });
    return reduceLosses("klDivergence", losses, labels, reduction);
  });
}

/**
 * Gradient of {@link klDivergence} for `logits` alone: `(softmax(logits) − softmax(reference))` times what the row weighs.
 * @param gradient in the shape of the loss
 */
export function klDivergenceBackward<S extends Shape>(
  reference: F32,
  logits: F32<S>,
  labels: Tensor<Shape, "i32">,
  gradient: F32,
  { reduction }: { readonly reduction: Reduction },
): F32<S> {
  const { rows, width } = checkPair("klDivergenceBackward", reference, logits, labels);
  const { device } = logits;
  return device.scoped("klDivergenceBackward", () => {
    const weights = tokenWeights("klDivergenceBackward", labels, gradient, reduction);
    const out = device.empty(logits.shape, "f32", "klDivergence gradient");
    const plan = planRows(device.capabilities, width);
    runItems(device, {
      kernel: "kl_divergence_backward",
      constants: { ...plan },
      items: rows,
      workgroups: (count) => Math.ceil(count / plan.ROWS),
      split: { reference: [reference, width], logits: [logits, width], weights: [weights, 1], out: [out, width] },
      params: (count) => ({ rows: count, width }),
    });
    return out;
  });
}

function checkPair(operation: string, reference: F32, logits: F32, labels: Tensor) {
  checkF32(operation, { reference });
  checkSameShape(operation, reference.shape, logits.shape);
  return checkTokens(operation, logits, labels);
}
