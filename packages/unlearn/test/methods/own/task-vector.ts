import { type Method, tokenNll } from "@lethe/unlearn";
import { z } from "zod";

const options = z.strictObject({ alpha: z.number().default(1) });

/** Task Vector (Ilharco et al. 2023): learns the forget text, then goes the other way from the start: w₀ − α (w − w₀). */
export const taskVector: Method<z.output<typeof options>> = {
  name: "task-vector",
  title: "Task Vector",
  source: "Ilharco et al. 2023",
  options,
  rate: 1e-5,
  objective: () => ({ reads: ["forget"], loss: (ops, { forget }) => tokenNll(ops, forget) }),
  edit:
    ({ alpha }) =>
    (ops, { trained, start }) =>
      ops.sub(start, ops.affine(ops.sub(trained, start), { factor: alpha })),
};
