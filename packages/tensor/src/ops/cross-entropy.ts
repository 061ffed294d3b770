import type { Shape } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import type { F32, Reduction } from "./ops.ts";
import { runItems } from "./parts.ts";
import { planRows } from "./row-plan.ts";
import { checkTokens, reduceLosses, tokenWeights } from "./token-losses.ts";

/** Bits that a kernel writes where a label lies outside the vocabulary, so that the mistake shows. */
export const badLabelBits = 0x7fc00000;

/**
 * `−log softmax(logits)[label]` for `logits […, V]` and `labels […]`, fused: log-probabilities are never stored. No shift is
 * applied. A label of −100 does not count; `mean` divides by the number of tokens that do and is 0 when none does. Labels are
 * on the device and cannot be checked here: any other label outside `0 … V − 1` makes its loss NaN.
 */
export function crossEntropy(
  logits: F32,
  labels: Tensor<Shape, "i32">,
  { reduction }: { readonly reduction: Reduction },
): F32 {
  const { rows, width } = checkTokens("crossEntropy", logits, labels);
  const { device } = logits;
  return device.scoped("crossEntropy", () => {
    const losses = device.empty(labels.shape, "f32", "crossEntropy");
    const plan = planRows(device.capabilities, width);
    runItems(device, {
      kernel: "cross_entropy",
      constants: { ...plan },
      items: rows,
      workgroups: (count) => Math.ceil(count / plan.ROWS),
      split: { logits: [logits, width], labels: [labels, 1], out: [losses, 1] },
      params: (count) => ({ rows: count, width, nan_bits: badLabelBits }),
    });
    return reduceLosses("crossEntropy", losses, labels, reduction);
  });
}

/**
 * Gradient of {@link crossEntropy} for the logits: `(softmax(logits) − onehot(label))` times what the token weighs; zeros for
 * tokens that do not count.
 * @param gradient in the shape of the loss
 */
export function crossEntropyBackward<S extends Shape>(
  logits: F32<S>,
  labels: Tensor<Shape, "i32">,
  gradient: F32,
  { reduction }: { readonly reduction: Reduction },
): F32<S> {
  const { rows, width } = checkTokens("crossEntropyBackward", logits, labels);
  const { device } = logits;
  return device.scoped("crossEntropyBackward", () => {
    const weights = tokenWeights("crossEntropyBackward", labels, gradient, reduction);
    const out = device.empty(logits.shape, "f32", "crossEntropy gradient");
    const plan = planRows(device.capabilities, width);
    runItems(device, {
      kernel: "cross_entropy_backward",
      constants: { ...plan },
      items: rows,
      workgroups: (count) => Math.ceil(count / plan.ROWS),
      split: { logits: [logits, width], labels: [labels, 1], weights: [weights, 1], out: [out, width] },
      params: (count) => ({ rows: count, width, nan_bits: badLabelBits }),
    });
    return out;
  });
}
