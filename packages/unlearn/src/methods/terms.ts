import type { F32, Ops } from "@lethe/tensor";
import { anyObject, checked } from "@lethe/tensor/checked";
import type { TextPass } from "./method.ts";

const scored = { ops: anyObject, pass: anyObject };
const tokenLosses = (ops: Ops, pass: Pick<TextPass, "perToken">): F32 =>
  pass.perToken((logits, { labels }) => ops.crossEntropy(logits, labels, { reduction: "none" }));

/** NLL(y): negative log likelihood, the mean over all tokens of the batch that count. A scalar. @function */
export const tokenNll = checked(
  "tokenNll",
  scored,
  (ops: Ops, pass: Pick<TextPass, "perToken">): F32 => ops.mean(tokenLosses(ops, pass)),
);

/** S(y): negative log likelihood of each sequence, the sum over its tokens that count, `[B]`. @function */
export const sequenceNll = checked(
  "sequenceNll",
  scored,
  (ops: Ops, pass: Pick<TextPass, "labels" | "sequences" | "perToken">): F32 =>
    ops.scatterRows(tokenLosses(ops, pass), pass.sequences, { rows: pass.labels.shape[0]! }),
);
