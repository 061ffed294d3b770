import type { Capabilities } from "../gpu/capabilities.ts";

/** How row kernels use lanes (`kernels/lib/rows.wgsl`): LANES lanes to a row, ROWS rows to a workgroup. */
export interface RowPlan {
  readonly LANES: number;
  readonly ROWS: number;
}

/**
 * Lanes for rows of a width, from capabilities and shape alone. On a GPU neighbouring lanes read neighbouring elements, and a
 * workgroup has at least 128 lanes. On a software adapter a barrier costs more time than further lanes save. Measured on Mesa's adapter and
 * SwiftShader: one lane to a row was fastest for rows of up to 1024 elements, and from there to 8192 the number of lanes hardly mattered. For a few rows as
 * wide as a vocabulary, 8 lanes took half the time on Mesa's adapter.
 */
export function planRows({ software, maxWorkgroupSize }: Capabilities, width: number): RowPlan {
  if (software) return width <= 8192 ? { LANES: 1, ROWS: 8 } : { LANES: 8, ROWS: 1 };
  const wanted = 2 ** Math.ceil(Math.log2(Math.max(width / 4, 8)));
  const LANES = Math.min(wanted, width > 16384 ? 1024 : 256, maxWorkgroupSize);
  return { LANES, ROWS: Math.max(1, 128 / LANES) };
}
