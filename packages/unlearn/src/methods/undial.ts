import type { F32, Ops } from "@lethe/tensor";
import { z } from "zod";
import { parsed } from "../parsed.ts";
import type { Method, TokenPiece } from "./method.ts";
import { optionalRetainTerm, withRetain } from "./retain.ts";
import { sized } from "./terms.ts";

const options = z.strictObject({
  /** β: by how much the label's logit is lowered. */
  beta: z.number().positive().default(10),
  /** Whether and how the model is held to the retain text. */
  retain: optionalRetainTerm.default("none"),
  /** The weight of that term. */
  retainWeight: z.number().default(1),
});

/**
 * UNDIAL (Dong et al. 2024), distillation from itself: the mean over tokens of CE(t, π) = −Σ t log π, with t = softmax(z₀ − β · onehot(label))
 * and z₀ the frozen model's logits. The target is bounded, so a long training does not break the model. Defaults as in open-unlearning.
 *
 * Only tokens with a label count. In open-unlearning a label of −100 lowers the logit of token V − 100, and prompt and padding are part of
 * the mean. Of the frozen model one row of V numbers is kept for each token that counts, and none for the others.
 */
export const undial: Method<z.output<typeof options>> = {
  name: "undial",
  title: "UNDIAL",
  source: "Dong et al. 2024",
  options,
  rate: 1e-4,
  objective(given) {
    const { beta, retain, retainWeight } = parsed("options of undial", options, given);
    return withRetain(
      {
        reads: ["forget"],
        reference: {
          forget: sized(
            ({ tokens, vocabulary }) => [tokens, vocabulary],
            (ops, pass) => pass.perToken((logits, { labels }) => lowered(ops, logits, labels, beta)),
          ),
        },
        loss(ops, { forget }) {
          const losses = forget.perToken((logits, { labels, start, end }) => {
            const target = forget.referenceRows(start, end);
            // CE(t, π) = KL(t ‖ π) + H(t), and H(t) = log V − KL(t ‖ even): no [n, V] tensor of products is made.
            const even = ops.affine(target, { factor: 0 });
            const [own, flat] = [logits, even].map((x) => ops.klDivergence(target, x, labels, { reduction: "none" }));
            return ops.sub(own!, flat!);
          });
          return ops.affine(ops.mean(losses), { offset: Math.log(forget.referenceShape.at(-1)!) });
        },
      },
      retain,
      retainWeight,
    );
  },
};

/** log softmax(logits − β · onehot(labels)) of rows `[n, V]`. A label of −100 lowers nothing. */
function lowered(ops: Ops, logits: F32, labels: TokenPiece["labels"], beta: number): F32 {
  // The gradient of the cross entropy of equal logits is 1/V − onehot(label). A softmax does not see the 1/V that is added everywhere.
  const even = ops.affine(logits, { factor: 0 });
  const ones = logits.device.tensor(new Float32Array(labels.size).fill(1), labels.shape);
  const slope = ops.crossEntropyBackward(even, labels, ones, { reduction: "none" });
  return ops.logSoftmax(ops.add(logits, ops.affine(slope, { factor: beta })));
}
