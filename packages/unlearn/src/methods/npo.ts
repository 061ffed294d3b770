import { z } from "zod";
import { parsed } from "../parsed.ts";
import type { Method } from "./method.ts";
import { sequenceNll } from "./terms.ts";

const options = z.strictObject({
  /** β: as it approaches 0 the method becomes gradient ascent; the larger it is, the less an unlikely sequence pulls. */
  beta: z.number().positive().default(0.1),
});

/** An epoch's mean loss below this prints as 0.0000, which is where the released code of Hong et al. 2024 ends NPO. */
const zeroLoss = 5e-5;

/** Negative Preference Optimization (Zhang et al. 2024): −(2/β) · mean log σ(β [S(y_f) − S₀(y_f)]), the mean over sequences. */
export const npo: Method<z.output<typeof options>> = {
  name: "npo",
  title: "NPO",
  source: "Zhang et al. 2024",
  options,
  rate: 1e-5,
  objective(given) {
    const { beta } = parsed("options of npo", options, given);
    return {
      reads: ["forget"],
      reference: { forget: sequenceNll },
      loss(ops, { forget }) {
        const margin = ops.affine(ops.sub(sequenceNll(ops, forget), forget.reference), { factor: beta });
        return ops.affine(ops.mean(ops.unary(margin, { kind: "logSigmoid" })), { factor: -2 / beta });
      },
    };
  },
  stops: (epoch) => epoch.reduce((sum, { loss }) => sum + loss, 0) / epoch.length < zeroLoss,
};
