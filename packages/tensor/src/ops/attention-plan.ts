import type { Capabilities } from "../gpu/capabilities.ts";
import type { Constants } from "../gpu/pipelines.ts";
import { attentionKey, type Tuning } from "../gpu/tuning.ts";

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

export const attentionFamilies = ["lanes", "tile", "decode"] as const;
/**
 * `lanes`: rows in the registers of narrow subgroups. `tile`: tiles in shared memory, on every adapter. `decode`: for few queries,
 * on every adapter; it has no gradient of its own.
 */
export type AttentionFamily = (typeof attentionFamilies)[number];

/** A kernel, its constants, and how many workgroups in a row cover the work. */
export interface KernelPlan {
  readonly kernel: string;
  readonly constants: Constants;
  readonly workgroups: number;
}

/** {@link KernelPlan} of a forward pass. With more than one stretch of the keys, the parts are combined afterwards. */
export interface ForwardPlan extends KernelPlan {
  readonly stretches: number;
}

/** Queries or keys to a workgroup of the tile kernels. */
const tile = 32;

// With few rows, the decode kernel cuts the keys of a row into stretches for several workgroups: enough to fill a GPU, but of at least this many keys.
const enoughWorkgroups = 256;
const leastStretch = 256;

type Needs = Pick<Capabilities, "subgroups" | "tuning">;

/** The family that was measured to be fastest for these sizes, where one was. */
function tuned(
  { tuning }: Needs,
  plan: keyof Pick<Tuning, "attention" | "attentionBackward">,
  sizes: AttentionSizes,
): AttentionFamily | undefined {
  return tuning?.[plan][attentionKey(sizes)] as AttentionFamily | undefined;
}

/** Lanes of a subgroup, where the kernels that broadcast within a subgroup can be used. */
function narrowLanes({ subgroups }: Needs): 4 | 8 | null {
  if (!subgroups || subgroups.min !== subgroups.max) return null;
  return subgroups.max === 4 || subgroups.max === 8 ? subgroups.max : null;
}

/** Rows longer than this are not unrolled: the code outgrows a cache, and takes seconds to compile. */
const mostTurns = 8;

/**
 * The family of kernels for an adapter and a head size, with its constants and the rows that one workgroup takes.
 * @param own rows that each of eight lanes takes
 */
function family(
  capabilities: Needs,
  { width }: AttentionSizes,
  forced: AttentionFamily | undefined,
  own: number,
): { name: string; constants: Constants; rows: number } {
  const lanes = narrowLanes(capabilities);
  if (!lanes || forced === "tile")
    return { name: "attention_tile", constants: { COLUMNS: Math.ceil(width / 64) }, rows: tile };
  const VECTORS = width / 4;
  // Adapters of four lanes hold an array in registers only where its indices are constants, and only then do several rows pay.
  const TURNS = lanes === 4 && VECTORS <= mostTurns ? VECTORS : 0;
  const OWN = lanes === 8 ? own : TURNS > 0 ? 4 : 1;
  return { name: "attention_lanes", constants: { LANES: lanes, VECTORS, TURNS, OWN }, rows: lanes * OWN };
}

/**
 * Chooses the kernel of an attention. A pure function of capabilities and sizes.
 * @param forced overrides the choice, for tests and benchmarks.
 */
export function planAttention(
  capabilities: Needs,
  sizes: AttentionSizes,
  forced: AttentionFamily | undefined = tuned(capabilities, "attention", sizes),
): ForwardPlan {
  const { batch, heads, queries } = sizes;
  const { name, constants, rows } = family(capabilities, sizes, forced, 2);
  const few = !forced && queries <= Math.min(4, rows / 2);
  if (forced === "decode" || (few && rows === tile)) return planDecode(sizes);
  if (few) return { kernel: `${name}_few`, constants, workgroups: batch * heads * queries, stretches: 1 };
  return { kernel: name, constants, workgroups: batch * heads * Math.ceil(queries / rows), stretches: 1 };
}

function planDecode({ batch, heads, queries, length }: AttentionSizes): ForwardPlan {
  const workgroups = batch * heads * queries;
  const stretches = Math.min(Math.ceil(length / leastStretch), Math.ceil(enoughWorkgroups / workgroups));
  return { kernel: "attention_decode", constants: {}, workgroups, stretches };
}

/** Chooses the kernels for the gradients of an attention: of its queries, and of its keys and values. */
export function planAttentionBackward(
  capabilities: Needs,
  sizes: AttentionSizes,
  forced: AttentionFamily | undefined = tuned(capabilities, "attentionBackward", sizes),
): { readonly q: KernelPlan; readonly kv: KernelPlan } {
  const { name, constants, rows } = family(capabilities, sizes, forced, 1);
  const { batch, heads, groups, queries, capacity } = sizes;
  return {
    q: { kernel: `${name}_backward_q`, constants, workgroups: batch * heads * Math.ceil(queries / rows) },
    kv: { kernel: `${name}_backward_kv`, constants, workgroups: batch * groups * Math.ceil(capacity / rows) },
  };
}
