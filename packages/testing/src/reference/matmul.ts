/** `a @ b` in float64, row-major, for `batch` products; `shared` says that `b` is one matrix for all of them. */
export function matmulReference(
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  shape: {
    m: number;
    n: number;
    k: number;
    batch?: number;
    shared?: boolean;
    transposeA?: boolean;
    transposeB?: boolean;
  },
): Float64Array {
  const { m, n, k, batch = 1, shared = false, transposeA = false, transposeB = false } = shape;
  const out = new Float64Array(batch * m * n);
  for (let z = 0; z < batch; z++) {
    const [atA, atB, atOut] = [z * m * k, shared ? 0 : z * k * n, z * m * n];
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < n; j++) {
        let sum = 0;
        for (let d = 0; d < k; d++)
          sum += a[atA + (transposeA ? d * m + i : i * k + d)]! * b[atB + (transposeB ? j * k + d : d * n + j)]!;
        out[atOut + i * n + j] = sum;
      }
    }
  }
  return out;
}
