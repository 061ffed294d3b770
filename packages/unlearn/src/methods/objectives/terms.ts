import type { F32, Ops } from "@lethe/tensor";
import { batchFor, type Labelled, type LossInputs, type Role, referenceFor } from "./objective.ts";

/** NLL(y): negative log likelihood, the mean over all tokens of the batch that count. */
export function tokenNll<B extends Labelled>(ops: Ops, forward: (batch: B) => F32, batch: B): F32 {
  return ops.crossEntropy(forward(batch), batch.labels, { reduction: "mean" });
}

/** S(y): negative log likelihood of each sequence, the sum over its tokens that count, `[B]`. */
export function sequenceNll<B extends Labelled>(ops: Ops, forward: (batch: B) => F32, batch: B): F32 {
  return ops.crossEntropy(forward(batch), batch.labels, { reduction: "sequence" });
}

/** How a model is held to what it knew of the retain text. */
export type RetainTerm = "nll" | "kl";

/** NLL(y_r), or KL(π₀ ‖ π) on y_r, the mean over the tokens that count. */
export function retainLoss<B extends Labelled>(ops: Ops, name: string, term: RetainTerm, inputs: LossInputs<B>): F32 {
  const role: Role = "retain";
  const batch = batchFor(name, role, inputs);
  if (term === "nll") return tokenNll(ops, inputs.forward, batch);
  const reference = referenceFor(name, role, inputs);
  return ops.klDivergence(reference, inputs.forward(batch), batch.labels, { reduction: "mean" });
}
