import type { F32, Ops } from "@lethe/tensor";
import { anyObject, callable, checked } from "@lethe/tensor/checked";
import type { Quantity, TextPass } from "./method.ts";

const scored = { ops: anyObject, pass: anyObject };

/** A quantity of an objective's reference that says its shape, so that its memory is counted before it is computed. @function */
export const sized = checked(
  "sized",
  { shapeOf: callable, quantity: callable },
  <Q extends Quantity>(shapeOf: NonNullable<Quantity["shapeOf"]>, quantity: Q) => Object.assign(quantity, { shapeOf }),
);

/** The mean over the tokens of each sequence that count, of what was computed for each token: `[N]` gives `[B]`. @function */
export const sequenceMean = checked(
  "sequenceMean",
  { ...scored, values: anyObject },
  (ops: Ops, { labels, sequences }: Pick<TextPass, "labels" | "sequences">, values: F32): F32 => {
    const rows = labels.shape[0]!;
    const ones = labels.device.tensor(new Float32Array(sequences.size).fill(1), sequences.shape);
    const [sums, counts] = [values, ones].map((each) => ops.scatterRows(each, sequences, { rows }));
    return ops.div(sums!, counts!);
  },
);

/** NLL(y): negative log likelihood, the mean over all tokens of the batch that count. A scalar. @function */
export const tokenNll = checked(
  "tokenNll",
  scored,
  (ops: Ops, pass: Pick<TextPass, "tokenLosses">): F32 => ops.mean(pass.tokenLosses()),
);

/** S(y): negative log likelihood of each sequence, the sum over its tokens that count, `[B]`. @function */
export const sequenceNll = sized(
  ({ sequences }) => [sequences],
  checked(
    "sequenceNll",
    scored,
    (ops: Ops, pass: Pick<TextPass, "labels" | "sequences" | "tokenLosses">): F32 =>
      ops.scatterRows(pass.tokenLosses(), pass.sequences, { rows: pass.labels.shape[0]! }),
  ),
);
