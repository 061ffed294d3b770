import type { Array64 } from "./float64.ts";

/**
 * Slope of `f` along one element of `x`, by central differences in float64: the truth that gradients are checked against, good to about
 * nine digits for functions of order 1. `x` is changed and changed back.
 */
export function slope(f: () => number, x: Array64, element: number): number {
  const step = 1e-5;
  const at = x.data[element]!;
  x.data[element] = at + step;
  const above = f();
  x.data[element] = at - step;
  const below = f();
  x.data[element] = at;
  return (above - below) / (2 * step);
}
