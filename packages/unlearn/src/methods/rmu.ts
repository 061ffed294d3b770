import { type Device, type F32, type Ops, randomOf } from "@lethe/tensor";
import { z } from "zod";
import { parsed } from "../parsed.ts";
import type { Method, TextPass } from "./method.ts";
import { sequenceMean, sized } from "./terms.ts";

const options = z.strictObject({
  /** The layer after which the residual stream is moved, from 0. */
  layer: z.int().min(0).default(7),
  /** The length c of the vector that forget text is moved to. */
  length: z.number().positive().default(2),
  /** The weight α of the retain term. */
  retainWeight: z.number().default(1),
  /** What is trained: `all`, or `down_proj`: W_V of the layer and of the two before it, as in the paper's experiments. */
  weights: z.enum(["all", "down_proj"]).default("all"),
  /** Decides the direction u. */
  seed: z.int().default(0),
});

/** Layers whose W_V the paper trains: the one that is moved, and two before it. */
const trainedLayers = 3;

/**
 * RMU (Li et al. 2024): mean |h(y_f) − c·u|²/d + α · mean |h(y_r) − h₀(y_r)|²/d, with h the residual stream `[d]` after a layer and u a fixed
 * random unit vector, its elements drawn from [0, 1). Defaults as in open-unlearning.
 *
 * A mean is taken over each sequence's tokens that count, then over sequences. open-unlearning means the same, but divides sums `[B]` by
 * counts `[B, 1]`, which broadcasts to `[B, B]`: right only where all sequences have one length. Weights after the layer get no gradient,
 * and stay as they are.
 */
export const rmu: Method<z.output<typeof options>> = {
  name: "rmu",
  title: "RMU",
  source: "Li et al. 2024",
  options,
  rate: 5e-5,
  objective(given) {
    const { layer, length, retainWeight, seed } = parsed("options of rmu", options, given);
    const stream = (pass: TextPass) => pass.atTokens("resid_post", layer);
    const meanOf = (ops: Ops, pass: TextPass, tokens: F32) => ops.mean(sequenceMean(ops, pass, tokens));
    return {
      reads: ["forget", "retain"],
      reference: {
        retain: sized(
          ({ tokens, width }) => [tokens, width],
          (_ops, pass) => stream(pass),
        ),
      },
      loss(ops, { forget, retain }) {
        const moved = stream(forget);
        const target = direction(moved.device, moved.shape.at(-1)!, { length, seed });
        const missed = ops.mean(ops.unary(ops.sub(moved, target), { kind: "square" }), { axis: 1 });
        const lost = meanOf(ops, forget, missed);
        const drift = ops.mse(stream(retain), retain.reference, { reduction: "rows" });
        return ops.add(lost, ops.affine(meanOf(ops, retain, drift), { factor: retainWeight }));
      },
    };
  },
  trains({ layer, weights }) {
    if (weights === "all") return { label: "all weights", accepts: () => true };
    const first = Math.max(0, layer - trainedLayers + 1);
    const names = Array.from({ length: layer - first + 1 }, (_, i) => `layers.${first + i}.mlp.down_proj.weight`);
    return {
      label: `W_V of layers ${first} to ${layer}`,
      accepts: (name) => names.some((each) => name.endsWith(`.${each}`)),
    };
  },
};

/** c·u, `[d]`. */
function direction(device: Device, width: number, { length, seed }: { length: number; seed: number }): F32 {
  const values = Array.from({ length: width }, randomOf("rmu", seed));
  const scale = length / Math.hypot(...values);
  return device.tensor(
    values.map((value) => value * scale),
    [width],
  );
}
