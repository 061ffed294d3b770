import { batchFor, type Objective, referenceFor } from "./objective.ts";
import { sequenceNll } from "./terms.ts";

/**
 * Negative Preference Optimization (Zhang et al. 2024): −(2/β) · mean log σ(β [S(y_f) − S₀(y_f)]), the mean over sequences. As β → 0
 * it becomes gradient ascent; with larger β a sequence that is already unlikely pulls less.
 */
export function npo({ beta }: { beta: number }): Objective {
  const name = "npo";
  return {
    name,
    roles: ["forget"],
    needs: { forget: "sequenceNll" },
    loss(ops, inputs) {
      const now = sequenceNll(ops, inputs.forward, batchFor(name, "forget", inputs));
      const margin = ops.affine(ops.sub(now, referenceFor(name, "forget", inputs)), { factor: beta });
      return ops.affine(ops.mean(ops.unary(margin, { kind: "logSigmoid" })), { factor: -2 / beta });
    },
  };
}
