import { z } from "zod";
import { parsed } from "../parsed.ts";
import type { Method } from "./method.ts";
import { isAtZero, preferenceLoss } from "./preference.ts";
import { sequenceNll } from "./terms.ts";
import { variant } from "./variant.ts";

const preferredTexts = z.enum(["refusal", "retain"]);

const options = z.strictObject({
  /** β: how soon a pair whose preferred text is likelier, against the reference, stops pulling. */
  beta: z.number().positive().default(0.1),
  /** The preferred text y_w of each forget text: a refusal, or retain text. */
  preferred: preferredTexts.default("refusal"),
});

/**
 * Direct Preference Optimization (Rafailov et al. 2023) with forget text as the one that loses:
 * −(2/β) · mean log σ(β [(S₀(y_w) − S(y_w)) − (S₀(y_f) − S(y_f))]), the mean over pairs. The preferred text y_w of a forget text is the one
 * of the same index. The default is a refusal: so Hong et al. 2024 and most others describe the method. The code that Hong et al. released
 * feeds retain text: {@link dpoRetain}.
 *
 * A margin of 130 nats ends a pair's pull where β = 0.1. The preferred text alone can bring it, if the model finds that text unlikely at first:
 * the loss falls to 0 and little is forgotten. So it is with refusals in the tiny models, which have never read one: at a learning rate that is
 * enough for NPO, the loss is 0 after three epochs and BLEU on the target still 0.9.
 */
export const dpo: Method<z.output<typeof options>> = {
  name: "dpo",
  title: "DPO",
  source: "Rafailov et al. 2023",
  options,
  rate: 1e-5,
  prefers: ({ preferred }) => preferred,
  objective(given) {
    const { beta } = parsed("options of dpo", options, given);
    return {
      reads: ["forget", "preferred"],
      reference: { forget: sequenceNll, preferred: sequenceNll },
      loss(ops, { forget, preferred }) {
        const lost = ops.sub(sequenceNll(ops, forget), forget.reference);
        const won = ops.sub(preferred.reference, sequenceNll(ops, preferred));
        return preferenceLoss(ops, ops.add(won, lost), beta);
      },
    };
  },
  stops: isAtZero,
};

/** DPO as the released code of Hong et al. 2024 runs it: the preferred text of each forget text is retain text. */
export const dpoRetain = variant(dpo, {
  name: "dpo+retain",
  title: "DPO, retain text preferred",
  source: "released code of Hong et al. 2024",
  options: options.extend({ preferred: preferredTexts.default("retain") }),
});
