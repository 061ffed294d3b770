import type { F32, Ops } from "@lethe/tensor";
import type { TextPass } from "./method.ts";

type Scored = Pick<TextPass, "labels" | "logits">;

/** NLL(y): negative log likelihood, the mean over all tokens of the batch that count. A scalar. */
export function tokenNll(ops: Ops, { logits, labels }: Scored): F32 {
  return ops.crossEntropy(logits(), labels, { reduction: "mean" });
}

/** S(y): negative log likelihood of each sequence, the sum over its tokens that count, `[B]`. */
export function sequenceNll(ops: Ops, { logits, labels }: Scored): F32 {
  return ops.crossEntropy(logits(), labels, { reduction: "sequence" });
}
