import { batchFor, type Objective } from "./objective.ts";
import { type RetainTerm, retainLoss, tokenNll } from "./terms.ts";

/**
 * Gradient Difference (Liu et al. 2022): −NLL(y_f) + w · retain. The released code of Hong et al. 2024 has `nll` and w = 1.5; their
 * Appendix A words it as `kl` and w = 1.
 */
export function gradientDifference({ retain, retainWeight }: { retain: RetainTerm; retainWeight: number }): Objective {
  const name = "graddiff";
  return {
    name,
    roles: ["forget", "retain"],
    needs: retain === "kl" ? { retain: "logits" } : {},
    loss(ops, inputs) {
      const forget = tokenNll(ops, inputs.forward, batchFor(name, "forget", inputs));
      const kept = ops.affine(retainLoss(ops, name, retain, inputs), { factor: retainWeight });
      return ops.sub(kept, forget);
    },
  };
}
