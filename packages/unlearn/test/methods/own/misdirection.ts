import { randomOf } from "@lethe/tensor";
import type { Method } from "@lethe/unlearn";
import { z } from "zod";

const options = z.strictObject({
  layer: z.int().min(0).default(1),
  /** Length c of the vector that forget activations are moved to. */
  length: z.number().positive().default(5),
  /** Weight of the retain term. */
  alpha: z.number().default(1),
});

/**
 * Like RMU (Li et al. 2024): moves the residual stream after a layer on forget text to a random vector c·u, and holds it on retain text where
 * the reference model has it. Unlike RMU it averages over padding too.
 */
export const misdirection: Method<z.output<typeof options>> = {
  name: "misdirection",
  title: "Misdirection",
  source: "after Li et al. 2024",
  options,
  rate: 5e-5,
  trains: ({ layer }) => ({
    label: "MLPs up to the layer",
    accepts: (name) => name.includes(".mlp.") && Number(/layers\.(\d+)/.exec(name)![1]) <= layer,
  }),
  objective: ({ layer, length, alpha }) => ({
    reads: ["forget", "retain"],
    reference: { retain: (_ops, pass) => pass.at("resid_post", layer) },
    loss(ops, { forget, retain }) {
      const stream = forget.at("resid_post", layer);
      const direction = Array.from({ length: stream.shape.at(-1)! }, randomOf("misdirection"));
      const scale = length / Math.hypot(...direction);
      const target = stream.device.tensor(
        direction.map((value) => value * scale),
        [direction.length],
      );
      const missed = ops.mean(ops.unary(ops.sub(stream, target), { kind: "square" }));
      const moved = ops.mse(retain.at("resid_post", layer), retain.reference, { reduction: "mean" });
      return ops.add(missed, ops.affine(moved, { factor: alpha }));
    },
  }),
};
