/** `(x − μ) / √(mean((x − μ)²) + eps) · weight + bias` of each row, μ the row's mean when `centered`, else 0. */
export function normalizeRows(
  x: ArrayLike<number>,
  width: number,
  {
    centered,
    eps,
    weight,
    bias,
  }: { centered: boolean; eps: number; weight?: ArrayLike<number>; bias?: ArrayLike<number> },
): Float64Array {
  const out = new Float64Array(x.length);
  for (let first = 0; first < x.length; first += width) {
    const row = Array.from({ length: width }, (_, c) => x[first + c]!);
    const mean = centered ? row.reduce((a, b) => a + b, 0) / width : 0;
    const variance = row.reduce((total, value) => total + (value - mean) ** 2, 0) / width;
    for (let c = 0; c < width; c++)
      out[first + c] = ((row[c]! - mean) / Math.sqrt(variance + eps)) * (weight?.[c] ?? 1) + (bias?.[c] ?? 0);
  }
  return out;
}
