import type { F32, Ops } from "@lethe/tensor";
import { anyObject, checked } from "@lethe/tensor/checked";
import type { TextPass } from "./method.ts";

type Scored = Pick<TextPass, "labels" | "logits">;
const scored = { ops: anyObject, pass: anyObject };

/** NLL(y): negative log likelihood, the mean over all tokens of the batch that count. A scalar. @function */
export const tokenNll = checked(
  "tokenNll",
  scored,
  (ops: Ops, { logits, labels }: Scored): F32 => ops.crossEntropy(logits(), labels, { reduction: "mean" }),
);

/** S(y): negative log likelihood of each sequence, the sum over its tokens that count, `[B]`. @function */
export const sequenceNll = checked(
  "sequenceNll",
  scored,
  (ops: Ops, { logits, labels }: Scored): F32 => ops.crossEntropy(logits(), labels, { reduction: "sequence" }),
);
