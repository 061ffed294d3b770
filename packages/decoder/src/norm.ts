import type { Site } from "@lethe/hooks";
import type { F32, Weight } from "@lethe/tensor";
import type { Pass } from "./pass.ts";

/**
 * RMSNorm with its hook point, the normalised stream before the weight. The two are one kernel unless a hook is there.
 */
export function rmsNorm(
  pass: Pass,
  site: Site,
  layer: number | null,
  x: F32,
  { weight, eps }: { readonly weight: Weight; readonly eps: number },
): F32 {
  const { ops, hooks } = pass;
  if (!hooks.wants(site, layer)) return ops.rmsNorm(x, weight, { eps });
  const normalized = hooks.at(site, layer, ops.rmsNorm(x, null, { eps }));
  return ops.mul(normalized, ops.cast(weight, { dtype: "f32" }));
}
