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
export function normalize({ ops }: Pick<Pass, "ops">, x: F32, { kind, weight, eps }: Norm): F32 {
  return kind === "rms" ? ops.rmsNorm(x, weight, { eps }) : ops.layerNorm(x, weight, null, { eps });
}

/**
 * Normalises x, with hook points at what it is divided by, and after the division and before the weight. Without a hook all of it is one
 * kernel.
 */
export function normalizeAt(
  pass: Pass,
  site: "ln1" | "ln2" | "ln_final",
  layer: number | null,
  x: F32,
  norm: Norm,
): F32 {
  const { ops, hooks } = pass;
  const scaled = hooks.wants(`${site}_scale`, layer);
  if (!scaled && !hooks.wants(site, layer)) return normalize(pass, x, norm);
  const plain = scaled ? divided(pass, `${site}_scale`, layer, x, norm) : normalize(pass, x, { ...norm, weight: null });
  const normalized = hooks.at(site, layer, plain);
  return norm.weight ? ops.mul(normalized, ops.cast(norm.weight, { dtype: "f32" })) : normalized;
}

/** `x / √(mean(x²) + ε)` over the last axis, of the centred x in a LayerNorm, with a hook point at the divisor. */
function divided({ ops, hooks }: Pass, site: Site, layer: number | null, x: F32, { kind, eps }: Norm): F32 {
  const axis = x.shape.length - 1;
  const centred: F32 = kind === "layer" ? ops.sub(x, ops.mean(x, { axis, keepDims: true })) : x;
  const squares = ops.mean(ops.unary(centred, { kind: "square" }), { axis, keepDims: true });
  const scale = ops.unary(ops.affine(squares, { offset: eps }), { kind: "sqrt" });
  return ops.div(centred, hooks.at(site, layer, scale));
}
