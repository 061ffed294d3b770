import type { Site } from "@lethe/hooks";
import type { F32, Weight } from "@lethe/tensor";
import type { Pass } from "./pass.ts";

/** A norm over the last axis: RMSNorm (Zhang & Sennrich 2019) or LayerNorm (Ba et al. 2016), without a weight where it is null. */
export interface Norm {
  readonly kind: "rms" | "layer";
  readonly weight: Weight | null;
  readonly eps: number;
}

/** Normalises. */
export function normalize({ ops }: Pass, x: F32, { kind, weight, eps }: Norm): F32 {
  return kind === "rms" ? ops.rmsNorm(x, weight, { eps }) : ops.layerNorm(x, weight, null, { eps });
}

/** Normalises with a hook point, the normalised stream before the weight. The two are one kernel unless a hook is there. */
export function normalizeAt(pass: Pass, site: Site, layer: number | null, x: F32, norm: Norm): F32 {
  const { ops, hooks } = pass;
  if (!hooks.wants(site, layer)) return normalize(pass, x, norm);
  const normalized = hooks.at(site, layer, normalize(pass, x, { ...norm, weight: null }));
  return norm.weight ? ops.mul(normalized, ops.cast(norm.weight, { dtype: "f32" })) : normalized;
}
