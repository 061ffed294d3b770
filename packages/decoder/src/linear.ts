import type { F32, Weight } from "@lethe/tensor";
import type { Pass } from "./pass.ts";

/** A linear layer as Hugging Face stores it: weight `[out, in]`, and a bias `[out]` where it has one. */
export interface Linear {
  readonly weight: Weight;
  readonly bias: Weight | undefined;
}

/** `x Wᵀ + b`. */
export function linear(pass: Pass, x: F32, { weight, bias }: Linear): F32 {
  return withBias(pass, pass.ops.linear(x, weight), bias);
}

/** `x + b` where there is a bias. */
export function withBias({ ops }: Pass, x: F32, bias: Weight | undefined): F32 {
  return bias ? ops.add(x, ops.cast(bias, { dtype: "f32" })) : x;
}
