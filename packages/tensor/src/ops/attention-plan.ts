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

/** Kernels that keep rows in the registers of narrow subgroups, or tiles in shared memory; only the latter run everywhere. */
export type AttentionFamily = "lanes" | "tile";

/** A kernel, its constants, and how many workgroups in a row cover the work. */
export interface KernelPlan {
  readonly kernel: string;
  readonly constants: Constants;
  readonly workgroups: number;
}

/** Head size up to which the kernels of narrow subgroups have a variant with little room. */
const smallHead = 32;

/** Queries or keys to a workgroup of the tile kernels. */
const tile = 32;

type Needs = Pick<Capabilities, "subgroups">;

/** Lanes of a subgroup where the kernels that broadcast within one apply. */
function narrowLanes({ subgroups }: Needs): 4 | 8 | null {
  if (!subgroups || subgroups.min !== subgroups.max) return null;
  return subgroups.max === 4 || subgroups.max === 8 ? subgroups.max : null;
}

/** The family of kernels for an adapter and a head size, with its constants and the rows that one workgroup takes. */
function family(
  capabilities: Needs,
  { width }: AttentionSizes,
  forced: AttentionFamily | undefined,
): { name: string; constants: Constants; rows: number } {
  const lanes = narrowLanes(capabilities);
  if (!lanes || forced === "tile")
    return { name: "attention_tile", constants: { COLUMNS: Math.ceil(width / 64) }, rows: tile };
  const name = width > smallHead ? "attention_lanes_wide" : "attention_lanes";
  return { name, constants: { LANES: lanes }, rows: lanes };
}

/**
 * Which kernel computes an attention. A pure function of capabilities and sizes.
 * @param forced overrides the choice, for tests and benchmarks.
 */
export function planAttention(capabilities: Needs, sizes: AttentionSizes, forced?: AttentionFamily): KernelPlan {
  const { name, constants, rows } = family(capabilities, sizes, forced);
  return { kernel: name, constants, workgroups: sizes.batch * sizes.heads * Math.ceil(sizes.queries / rows) };
}

/** Which kernels compute the gradients of an attention: of its queries, and of its keys and values. */
export function planAttentionBackward(
  capabilities: Needs,
  sizes: AttentionSizes,
  forced?: AttentionFamily,
): { readonly q: KernelPlan; readonly kv: KernelPlan } {
  const { name, constants, rows } = family(capabilities, sizes, forced);
  const { batch, heads, groups, queries, capacity } = sizes;
  return {
    q: { kernel: `${name}_backward_q`, constants, workgroups: batch * heads * Math.ceil(queries / rows) },
    kv: { kernel: `${name}_backward_kv`, constants, workgroups: batch * groups * Math.ceil(capacity / rows) },
  };
}
