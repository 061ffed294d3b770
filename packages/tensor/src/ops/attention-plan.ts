import type { Capabilities } from "../gpu/capabilities.ts";
import type { Constants } from "../gpu/pipelines.ts";

/** The sizes of an attention that decide which kernel runs it. */
export interface AttentionSizes {
  readonly batch: number;
  readonly queries: number;
  readonly capacity: number;
  readonly length: number;
  readonly heads: number;
  readonly groups: number;
  readonly width: number;
}

/** A kernel, its constants, and how many workgroups in a row cover the work. */
export interface KernelPlan {
  readonly kernel: string;
  readonly constants: Constants;
  readonly workgroups: number;
}

/** Head size up to which a lane can hold whole rows in registers. */
const widestLanes = 32;

/** Queries or keys to a workgroup of the tile kernels. */
const tile = 32;

type Needs = Pick<Capabilities, "subgroups">;

/** Lanes of a subgroup where the kernels that broadcast within one apply. */
function narrowLanes({ subgroups }: Needs, { width }: AttentionSizes): 4 | 8 | null {
  if (!subgroups || subgroups.min !== subgroups.max || width > widestLanes) return null;
  return subgroups.max === 4 || subgroups.max === 8 ? subgroups.max : null;
}

/** Which kernel computes an attention. A function of capabilities and sizes alone. */
export function planAttention(capabilities: Needs, sizes: AttentionSizes): KernelPlan {
  const lanes = narrowLanes(capabilities, sizes);
  const rows = sizes.batch * sizes.heads;
  const constants = { VECTORS: sizes.width / 4 };
  if (lanes)
    return {
      kernel: "attention_lanes",
      constants: { ...constants, LANES: lanes },
      workgroups: rows * Math.ceil(sizes.queries / lanes),
    };
  return { kernel: "attention_tile", constants, workgroups: rows * Math.ceil(sizes.queries / tile) };
}

/** Which kernels compute the gradients of an attention: of its queries, and of its keys and values. */
export function planAttentionBackward(
  capabilities: Needs,
  sizes: AttentionSizes,
): { readonly q: KernelPlan; readonly kv: KernelPlan } {
  const lanes = narrowLanes(capabilities, sizes);
  const style = lanes ? "lanes" : "tile";
  const constants = { VECTORS: sizes.width / 4, ...(lanes ? { LANES: lanes } : {}) };
  const { batch, heads, groups, queries, capacity } = sizes;
  return {
    q: {
      kernel: `attention_${style}_backward_q`,
      constants,
      workgroups: batch * heads * Math.ceil(queries / (lanes ?? tile)),
    },
    kv: {
      kernel: `attention_${style}_backward_kv`,
      constants,
      workgroups: batch * groups * Math.ceil(capacity / (lanes ?? tile)),
    },
  };
}
