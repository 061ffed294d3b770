import type { F32, Ops } from "@lethe/tensor";
import { z } from "zod";
import { parsed } from "../parsed.ts";
import type { Method, Quantity, TrainedPass } from "./method.ts";
import { tokenNll } from "./terms.ts";

const options = z.strictObject({
  /** How the model is held to the retain text y_r: `nll` is NLL(y_r); `kl` is KL(π₀ ‖ π) on y_r, the mean over tokens. */
  retain: z.enum(["nll", "kl"]).default("nll"),
  /** The weight w of that term. */
  retainWeight: z.number().default(1.5),
});

interface RetainTerm {
  readonly reference?: Quantity;
  readonly loss: (ops: Ops, retain: TrainedPass) => F32;
}

const terms: Readonly<Record<z.output<typeof options>["retain"], RetainTerm>> = {
  nll: { loss: tokenNll },
  kl: {
    reference: (ops, pass) => pass.perToken((logits) => ops.logSoftmax(logits)),
    loss: (ops, pass) => {
      const losses = pass.perToken((logits, { labels, start, end }) => {
        const reference = ops.slice(pass.reference, { axis: 0, start, end });
        return ops.klDivergence(reference, logits, labels, { reduction: "none" });
      });
      return ops.mean(losses);
    },
  },
};

/**
 * Gradient Difference (Liu et al. 2022): −NLL(y_f) + w · retain. The released code of Hong et al. 2024 has `nll` and w = 1.5, which are
 * the defaults; their Appendix A words it as `kl` and w = 1.
 */
export const gradientDifference: Method<z.output<typeof options>> = {
  name: "graddiff",
  title: "Gradient Difference",
  source: "Liu et al. 2022",
  options,
  rate: 1e-5,
  objective(given) {
    const { retain: term, retainWeight } = parsed("options of graddiff", options, given);
    const { reference, loss: kept } = terms[term];
    return {
      reads: ["forget", "retain"],
      ...(reference && { reference: { retain: reference } }),
      loss(ops, { forget, retain }) {
        const lost = tokenNll(ops, forget);
        return ops.sub(ops.affine(kept(ops, retain), { factor: retainWeight }), lost);
      },
    };
  },
};
