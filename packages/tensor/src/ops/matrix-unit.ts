import type { Capabilities, MatrixUnit } from "../gpu/capabilities.ts";

// A workgroup of the kernels on matrix units has its work in parts, one for 32 lanes. There may be fewer subgroups than parts, and not more.
export const leastSubgroup = 32;
// The kernels' workgroups are multiples of this, as Dawn demands of the largest subgroup.
const mostLanes = 128;

/**
 * The largest matrix unit that sums in f32 and that the kernels can use, of f16 before one of f32; null where there is none. Sides are
 * divisors of 16 rows, 32 columns and 32 steps.
 */
export function bestUnit({ matrixUnits, subgroups }: Capabilities): MatrixUnit | null {
  if (!subgroups || subgroups.min < leastSubgroup || subgroups.max > mostLanes) return null;
  const usable = matrixUnits.filter(
    ({ m, n, k, input, sum }) =>
      sum === "f32" && (input === "f16" || input === "f32") && 16 % m === 0 && 32 % n === 0 && 32 % k === 0,
  );
  const rank = ({ m, n, k, input }: MatrixUnit) => m * n * k * (input === "f16" ? 2 ** 20 : 1);
  return usable.sort((a, b) => rank(b) - rank(a))[0] ?? null;
}
