import { z } from "zod";
import { parsed } from "../parsed.ts";
import type { Method } from "./method.ts";
import { preferenceLoss } from "./preference.ts";
import { optionalRetainTerm, withRetain } from "./retain.ts";
import { sequenceMean } from "./terms.ts";

const options = z.strictObject({
  /** β: how soon an unlikely sequence stops pulling. */
  beta: z.number().positive().default(4.5),
  /** δ, the mean NLL of a token that a sequence is to exceed (γ/β in the paper's notation). */
  delta: z.number().default(0),
  /** The weight γ of the forget term. */
  forgetWeight: z.number().default(0.125),
  /** Whether and how the model is held to the retain text. */
  retain: optionalRetainTerm.default("nll"),
  /** The weight α of that term. */
  retainWeight: z.number().default(1),
});

/**
 * SimNPO (Fan et al. 2024): −γ · (2/β) · mean log σ(β [S(y_f)/|y_f| − δ]) + α · retain, with |y_f| the tokens of a sequence that count. It
 * needs no reference model, and a sequence's length does not weigh. Defaults as in open-unlearning. There γ is the weight of the whole
 * term; the γ of the paper is β · δ.
 */
export const simnpo: Method<z.output<typeof options>> = {
  name: "simnpo",
  title: "SimNPO",
  source: "Fan et al. 2024",
  options,
  rate: 1e-5,
  objective(given) {
    const { beta, delta, forgetWeight, retain, retainWeight } = parsed("options of simnpo", options, given);
    return withRetain(
      {
        reads: ["forget"],
        loss(ops, { forget }) {
          const perToken = sequenceMean(ops, forget, forget.tokenLosses());
          const loss = preferenceLoss(ops, ops.affine(perToken, { offset: -delta }), beta);
          return ops.affine(loss, { factor: forgetWeight });
        },
      },
      retain,
      retainWeight,
    );
  },
};
