import { matmulReference } from "./matmul.ts";

/** `x Wᵀ` in float64, `[rows of x, rows of W]`, from rows of k elements. */
export function product(x: ArrayLike<number>, w: ArrayLike<number>, k: number): Float64Array {
  return matmulReference(x, w, { m: x.length / k, n: w.length / k, k, transposeB: true });
}

/** `silu(gate) · up` in float64, of rows with n elements of the gate and n of up side by side. */
export function gatedRows(both: ArrayLike<number>, n: number): Float64Array {
  return Float64Array.from({ length: both.length / 2 }, (_, at) => {
    const gate = both[Math.floor(at / n) * 2 * n + (at % n)]!;
    return (gate / (1 + Math.exp(-gate))) * both[Math.floor(at / n) * 2 * n + (at % n) + n]!;
  });
}
