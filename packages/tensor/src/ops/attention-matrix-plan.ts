import type { Capabilities } from "../gpu/capabilities.ts";
import type { AttentionSizes, ForwardPlan } from "./attention-plan.ts";
import { bestUnit } from "./matrix-unit.ts";

// As in `kernels/attention_matrix.wgsl`: queries and lanes of a workgroup.
const rows = 64;
const lanes = 128;

/** Bytes of shared memory for heads of this width: the tile, scores, weights, and what lanes tell each other. */
const sharedBytes = (width: number): number => rows * ((width + 8) * 2 + 36 * 4 + 40 * 2 + 4) + lanes * 8;

/**
 * How matrix units of f16 run an attention; null where there are none, where a head does not fit the adapter, and for few queries, which would leave
 * most of a tile empty.
 */
export function planMatrixAttention(capabilities: Capabilities, sizes: AttentionSizes): ForwardPlan | null {
  const { batch, heads, queries, width } = sizes;
  const unit = bestUnit(capabilities);
  if (unit?.input !== "f16" || width % unit.n !== 0 || width % unit.k !== 0 || queries < 16) return null;
  if (sharedBytes(width) > capabilities.maxSharedBytes || lanes > capabilities.maxWorkgroupSize) return null;
  return {
    kernel: "attention_matrix",
    constants: { UNIT_M: unit.m, UNIT_N: unit.n, UNIT_K: unit.k, WIDTH: width },
    workgroups: batch * heads * Math.ceil(queries / rows),
    stretches: 1,
  };
}
