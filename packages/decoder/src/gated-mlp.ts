import type { F32 } from "@lethe/tensor";
import { type Linear, linear, withBias } from "./linear.ts";
import { type Norm, normalize, normalizeAt } from "./norm.ts";
import type { Pass } from "./pass.ts";

/** A gated MLP sub-layer: gate and up are `[n, d]`, down `[d, n]`. */
export interface GatedMlp {
  readonly gate: Linear;
  readonly up: Linear;
  readonly down: Linear;
  /** Of what comes in. */
  readonly normBefore?: Norm;
  /** Of what goes out, before it is added to the residual stream. */
  readonly normAfter?: Norm;
}

/**
 * The gated MLP sub-layer (Shazeer 2020), from the residual stream to M = m · W_V, with m = silu(x W_gate) ⊙ (x W_up), plus biases
 * where there are any; M is normalised where the family does so.
 * @param x residual stream `[B, T, d]`
 */
export function mlpOutput(pass: Pass, layer: number, x: F32, mlp: GatedMlp): F32 {
  const { ops, hooks } = pass;
  const coefficients = [...x.shape.slice(0, -1), mlp.gate.weight.shape[0]!];
  return pass.scoped("mlp", () => {
    const m = hooks.produce("m", layer, coefficients, ["ln2", "gate", "up"], () => {
      const input = mlp.normBefore ? normalizeAt(pass, "ln2", layer, x, mlp.normBefore) : x;
      const gate = hooks.at("gate", layer, linear(pass, input, mlp.gate));
      return ops.swiglu(gate, hooks.at("up", layer, linear(pass, input, mlp.up)));
    });
    const out = withBias(pass, ops.linear(m, hooks.at("W_V", layer, mlp.down.weight)), mlp.down.bias);
    if (!mlp.normAfter) return hooks.at("M", layer, out);
    return hooks.at("M", layer, normalize(pass, hooks.at("M_before_norm", layer, out), mlp.normAfter));
  });
}
