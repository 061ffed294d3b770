import type { F32, Weight } from "@lethe/tensor";
import type { Pass } from "./pass.ts";

/** Projections of a gated MLP, as Hugging Face stores them: gate and up `[n, d]`, down `[d, n]`. */
export interface GatedMlpWeights {
  readonly gate: Weight;
  readonly up: Weight;
  readonly down: Weight;
}

/**
 * The gated MLP sub-layer (Shazeer 2020), from the residual stream to M = m · W_V, with m = silu(x W_gate) ⊙ (x W_up).
 * @param x residual stream `[B, T, d]`
 * @param norm what normalises it first
 */
export function mlpOutput(pass: Pass, layer: number, x: F32, norm: (x: F32) => F32, weights: GatedMlpWeights): F32 {
  const { ops, hooks } = pass;
  const coefficients = [...x.shape.slice(0, -1), weights.gate.shape[0]!];
  return pass.scoped("mlp", () => {
    const m = hooks.produce("m", layer, coefficients, ["ln2", "gate", "up"], () => {
      const normalized = norm(x);
      const gate = hooks.at("gate", layer, ops.linear(normalized, weights.gate));
      return ops.swiglu(gate, hooks.at("up", layer, ops.linear(normalized, weights.up)));
    });
    return hooks.at("M", layer, ops.linear(m, hooks.at("W_V", layer, weights.down)));
  });
}
