import type { F32, Ops } from "@lethe/tensor";
import { z } from "zod";
import type { Objective, Quantity, TrainedPass } from "./method.ts";
import { sized, tokenNll } from "./terms.ts";

interface RetainTerm {
  readonly reference?: Quantity;
  readonly loss: (ops: Ops, retain: TrainedPass) => F32;
}

const terms = {
  nll: { loss: tokenNll },
  kl: {
    reference: sized(
      ({ tokens, vocabulary }) => [tokens, vocabulary],
      (ops, pass) => pass.perToken((logits) => ops.logSoftmax(logits)),
    ),
    loss: (ops, pass) => {
      const losses = pass.perToken((logits, { labels, start, end }) =>
        ops.klDivergence(pass.referenceRows(start, end), logits, labels, { reduction: "none" }),
      );
      return ops.mean(losses);
    },
  },
} satisfies Readonly<Record<string, RetainTerm>>;

/**
 * How a model is held to the retain text y_r: `nll` is NLL(y_r); `kl` is KL(π₀ ‖ π) on y_r, the mean over the tokens that count (the released
 * codes of Hong et al. 2024 and of open-unlearning average over padding too).
 */
export const retainTerm = z.enum(["nll", "kl"]);

/** The same, or not at all. */
export const optionalRetainTerm = z.enum(["none", "nll", "kl"]);

/** An objective with a retain term added to its loss: loss + weight · term. */
export function withRetain(objective: Objective, term: z.infer<typeof optionalRetainTerm>, weight: number): Objective {
  if (term === "none") return objective;
  const { reference, loss: kept }: RetainTerm = terms[term];
  return {
    reads: [...objective.reads, "retain"],
    reference: { ...objective.reference, ...(reference && { retain: reference }) },
    loss(ops, texts) {
      const lost = objective.loss(ops, texts);
      return ops.add(lost, ops.affine(kept(ops, texts.retain), { factor: weight }));
    },
  };
}
