import { z } from "zod";
import type { Method } from "./method.ts";
import { tokenNll } from "./terms.ts";

/** Gradient ascent (Jang et al. 2023): −NLL(y_f). The loss has no floor: a long training breaks the model. */
export const gradientAscent: Method<object> = {
  name: "ga",
  title: "Gradient Ascent",
  source: "Jang et al. 2023",
  options: z.strictObject({}),
  rate: 1e-5,
  objective: () => ({
    reads: ["forget"],
    loss: (ops, { forget }) => ops.affine(tokenNll(ops, forget), { factor: -1 }),
  }),
};
