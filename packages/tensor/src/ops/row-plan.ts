import type { Capabilities } from "../gpu/capabilities.ts";
import { rowKey } from "../gpu/tuning.ts";

/** How row kernels use lanes (`kernels/lib/rows.wgsl`): LANES lanes to a row, ROWS rows to a workgroup. */
export interface RowPlan {
  readonly LANES: number;
  readonly ROWS: number;
}

/**
 * Lanes for rows of a width, from capabilities and shape alone. On a GPU neighbouring lanes read neighbouring elements, and a
 * workgroup has at least 128 lanes. On a software adapter a barrier costs more time than further lanes save: one lane to a row is fastest
 * at every width where there are rows for the lanes of both cores, measured on Mesa's adapter and SwiftShader. Fewer rows are shared among lanes.
 * @param rows how many there are; many, where that is not known
 */
export function planRows(
  { software, maxWorkgroupSize, tuning }: Capabilities,
  width: number,
  rows = Infinity,
): RowPlan {
  // What was tuned is for many rows.
  const tuned = rows < 16 ? undefined : tuning?.rows[rowKey(width)];
  if (tuned) return tuned;
  if (software) return rows < 16 ? { LANES: 8, ROWS: 1 } : { LANES: 1, ROWS: 8 };
  const wanted = 2 ** Math.ceil(Math.log2(Math.max(width / 4, 8)));
  const LANES = Math.min(wanted, width > 16384 ? 1024 : 256, maxWorkgroupSize);
  return { LANES, ROWS: Math.max(1, 128 / LANES) };
}

/** Elements of an item in `kernels/lib/items.wgsl`: 4 where each row begins at a whole vector, else 1. All lengths are counts of elements. */
export function wideOf(...lengths: readonly number[]): number {
  return lengths.every((length) => length % 4 === 0) ? 4 : 1;
}
