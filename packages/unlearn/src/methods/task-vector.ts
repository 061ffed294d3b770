import { z } from "zod";
import type { Method } from "./method.ts";
import { tokenNll } from "./terms.ts";

const options = z.strictObject({
  /** λ: how far to go the other way. At 0 the model stays as it was. */
  scale: z.number().default(1),
});

/**
 * Task Vector (Ilharco et al. 2023): learns the forget text by descent on NLL(y_f), then goes the other way from the start:
 * w₀ − λ (w − w₀). Until the last epoch ends the model knows the text better than before, and its answers say so.
 */
export const taskVector: Method<z.output<typeof options>> = {
  name: "taskvector",
  title: "Task Vector",
  source: "Ilharco et al. 2023",
  options,
  rate: 1e-5,
  objective: () => ({ reads: ["forget"], loss: (ops, { forget }) => tokenNll(ops, forget) }),
  edit:
    ({ scale }) =>
    (ops, { trained, start }) =>
      ops.sub(start, ops.affine(ops.sub(trained, start), { factor: scale })),
};
