import type { Capabilities } from "../gpu/capabilities.ts";

/** How row kernels share out lanes (`kernels/lib/rows.wgsl`): LANES lanes a row, ROWS rows a workgroup. */
export interface RowPlan {
  readonly LANES: number;
  readonly ROWS: number;
}

/**
 * Lanes for rows of a width, from capabilities and shape alone. On a GPU neighbouring lanes read neighbouring elements and a
 * workgroup has at least 128 lanes. On a software adapter a barrier costs more than it shares out: one lane a row was
 * fastest for rows of up to 1024 elements on both adapters at hand; beyond that lanes hardly mattered, until the few rows of a
 * vocabulary's width, which 8 lanes took in half the time (Mesa's adapter).
 */
export function planRows({ software, maxWorkgroupSize }: Capabilities, width: number): RowPlan {
  if (software) return width <= 8192 ? { LANES: 1, ROWS: 8 } : { LANES: 8, ROWS: 1 };
  const wanted = 2 ** Math.ceil(Math.log2(Math.max(width / 4, 8)));
  const LANES = Math.min(wanted, width > 16384 ? 1024 : 256, maxWorkgroupSize);
  return { LANES, ROWS: Math.max(1, 128 / LANES) };
}
