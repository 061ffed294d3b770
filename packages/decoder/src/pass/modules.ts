import type { Site } from "@lethe/hooks";
import type { F32, Weight } from "@lethe/tensor";
import type { Pass } from "./pass.ts";

/** A linear layer as Hugging Face stores it: weight `[out, in]`, and a bias `[out]` where the layer has one. */
export interface Linear {
  readonly weight: Weight;
  readonly bias: Weight | undefined;
}

/** `x Wᵀ + b`. */
export function linear(pass: Pass, x: F32, { weight, bias }: Linear): F32 {
  return addBias(pass, pass.ops.linear(x, weight), bias);
}

/** `x + b`, or x where there is no bias. */
export function addBias({ ops }: Pass, x: F32, bias: Weight | undefined): F32 {
  return bias ? ops.add(x, ops.cast(bias, { dtype: "f32" })) : x;
}

/** A norm over the last axis: RMSNorm (Zhang & Sennrich 2019) or LayerNorm (Ba et al. 2016). */
export interface Norm {
  readonly kind: "rms" | "layer";
  /** `null` where the norm has no weight. */
  readonly weight: Weight | null;
  readonly eps: number;
}

/** Normalises x. */
export function normalize({ ops }: Pass, x: F32, { kind, weight, eps }: Norm): F32 {
  return kind === "rms" ? ops.rmsNorm(x, weight, { eps }) : ops.layerNorm(x, weight, null, { eps });
}

/** Normalises x, with a hook point after the division and before the weight. Without a hook both are one kernel. */
export function normalizeAt(pass: Pass, site: Site, layer: number | null, x: F32, norm: Norm): F32 {
  const { ops, hooks } = pass;
  if (!hooks.wants(site, layer)) return normalize(pass, x, norm);
  const normalized = hooks.at(site, layer, normalize(pass, x, { ...norm, weight: null }));
  return norm.weight ? ops.mul(normalized, ops.cast(norm.weight, { dtype: "f32" })) : normalized;
}
