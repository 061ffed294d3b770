import { z } from "zod";
import { parsed } from "../parsed.ts";
import type { Method } from "./method.ts";
import { isAtZero, preferenceLoss } from "./preference.ts";
import { optionalRetainTerm, withRetain } from "./retain.ts";
import { sequenceNll } from "./terms.ts";
import { variant } from "./variant.ts";

const options = z.strictObject({
  /** β: as it approaches 0 the method becomes gradient ascent; the larger it is, the less an unlikely sequence pulls. */
  beta: z.number().positive().default(0.1),
  /** Whether and how the model is held to the retain text. */
  retain: optionalRetainTerm.default("none"),
  /** The weight of that term. */
  retainWeight: z.number().default(1),
});

/**
 * Negative Preference Optimization (Zhang et al. 2024): −(2/β) · mean log σ(β [S(y_f) − S₀(y_f)]), the mean over sequences, and w · retain
 * where that is asked for.
 */
export const npo: Method<z.output<typeof options>> = {
  name: "npo",
  title: "NPO",
  source: "Zhang et al. 2024",
  options,
  rate: 1e-5,
  objective(given) {
    const { beta, retain, retainWeight } = parsed("options of npo", options, given);
    return withRetain(
      {
        reads: ["forget"],
        reference: { forget: sequenceNll },
        loss: (ops, { forget }) => preferenceLoss(ops, ops.sub(sequenceNll(ops, forget), forget.reference), beta),
      },
      retain,
      retainWeight,
    );
  },
  stops: isAtZero,
};

/** NPO + KL(π₀ ‖ π) on y_r. */
export const npoKl = variant(npo, {
  name: "npo+kl",
  title: "NPO+KL",
  options: options.extend({ retain: optionalRetainTerm.default("kl") }),
});

/** NPO + NLL(y_r), gradient descent on the retain text. */
export const npoGd = variant(npo, {
  name: "npo+gd",
  title: "NPO+GD",
  options: options.extend({ retain: optionalRetainTerm.default("nll") }),
});
