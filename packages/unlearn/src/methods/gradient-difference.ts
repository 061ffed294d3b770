import { z } from "zod";
import { parsed } from "../parsed.ts";
import { gradientAscent } from "./gradient-ascent.ts";
import type { Method } from "./method.ts";
import { retainTerm, withRetain } from "./retain.ts";
import { variant } from "./variant.ts";

const options = z.strictObject({
  /** How the model is held to the retain text. */
  retain: retainTerm.default("nll"),
  /** The weight w of that term. */
  retainWeight: z.number().default(1.5),
});

/**
 * Gradient Difference (Liu et al. 2022): −NLL(y_f) + w · retain. The released code of Hong et al. 2024 has `nll` and w = 1.5. These are the
 * defaults, since what ran tells more of the paper's figures than its description, {@link gradientDifferenceKl}.
 */
export const gradientDifference: Method<z.output<typeof options>> = {
  name: "graddiff",
  title: "Gradient Difference",
  source: "Liu et al. 2022",
  options,
  rate: 1e-5,
  objective(given) {
    const { retain, retainWeight } = parsed("options of graddiff", options, given);
    return withRetain(gradientAscent.objective!({}), retain, retainWeight);
  },
};

/** Gradient Difference as Appendix A of Hong et al. 2024 words it: −NLL(y_f) + KL(π₀ ‖ π) on y_r. */
export const gradientDifferenceKl = variant(gradientDifference, {
  name: "graddiff+kl",
  title: "Gradient Difference, KL",
  source: "Hong et al. 2024, Appendix A",
  options: options.extend({ retain: retainTerm.default("kl"), retainWeight: z.number().default(1) }),
});
