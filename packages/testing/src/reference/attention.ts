/** An attention in float64: shapes as in `ops/attention.ts`. */
export interface AttentionCase {
  readonly batch: number;
  readonly queries: number;
  /** Keys stored; those from `length` on are not in use. */
  readonly capacity: number;
  readonly length: number;
  readonly heads: number;
  readonly groups: number;
  readonly width: number;
  readonly scale: number;
  readonly starts: readonly number[];
  /** Default: true. */
  readonly causal?: boolean;
}

/** Calls `visit` for each query with the keys it sees and its rows' offsets in q, k and the pattern. */
function eachQuery(
  c: AttentionCase,
  visit: (query: { b: number; h: number; t: number; q: number; key: (j: number) => number; seen: number[] }) => void,
): void {
  for (let b = 0; b < c.batch; b++)
    for (let h = 0; h < c.heads; h++)
      for (let t = 0; t < c.queries; t++) {
        const g = Math.floor(h / (c.heads / c.groups));
        const last = c.causal === false ? c.length - 1 : c.length - c.queries + t;
        const start = c.starts[b]!;
        visit({
          b,
          h,
          t,
          q: ((b * c.queries + t) * c.heads + h) * c.width,
          key: (j) => ((b * c.capacity + j) * c.groups + g) * c.width,
          seen: Array.from({ length: Math.max(0, last - start + 1) }, (_, i) => start + i),
        });
      }
}

function dot(a: ArrayLike<number>, aAt: number, b: ArrayLike<number>, bAt: number, width: number): number {
  let sum = 0;
  for (let i = 0; i < width; i++) sum += a[aAt + i]! * b[bAt + i]!;
  return sum;
}

function addScaled(target: Float64Array, at: number, x: ArrayLike<number>, xAt: number, factor: number, width: number) {
  for (let i = 0; i < width; i++) target[at + i]! += factor * x[xAt + i]!;
}

/** Output `[B, T, H, D]`, logSumExp `[B, H, T]` (0 where nothing is seen) and pattern `[B, H, T, length]`. */
export function attentionReference(
  c: AttentionCase,
  q: ArrayLike<number>,
  k: ArrayLike<number>,
  v: ArrayLike<number>,
): { output: Float64Array; logSumExp: Float64Array; pattern: Float64Array } {
  const output = new Float64Array(q.length);
  const logSumExp = new Float64Array(c.batch * c.heads * c.queries);
  const pattern = new Float64Array(logSumExp.length * c.length);
  eachQuery(c, ({ b, h, t, q: at, key, seen }) => {
    if (seen.length === 0) return;
    const row = (b * c.heads + h) * c.queries + t;
    const scores = seen.map((j) => c.scale * dot(q, at, k, key(j), c.width));
    const top = Math.max(...scores);
    const total = scores.reduce((sum, s) => sum + Math.exp(s - top), 0);
    logSumExp[row] = top + Math.log(total);
    seen.forEach((j, i) => {
      const p = Math.exp(scores[i]! - logSumExp[row]!);
      pattern[row * c.length + j] = p;
      addScaled(output, at, v, key(j), p, c.width);
    });
  });
  return { output, logSumExp, pattern };
}

/** Gradients of `Σ gradient · output` with respect to q, k and v, written out by hand. */
export function attentionGradientReference(
  c: AttentionCase,
  q: ArrayLike<number>,
  k: ArrayLike<number>,
  v: ArrayLike<number>,
  gradient: ArrayLike<number>,
): { q: Float64Array; k: Float64Array; v: Float64Array } {
  const { pattern } = attentionReference(c, q, k, v);
  const result = { q: new Float64Array(q.length), k: new Float64Array(k.length), v: new Float64Array(v.length) };
  eachQuery(c, ({ b, h, t, q: at, key, seen }) => {
    const row = ((b * c.heads + h) * c.queries + t) * c.length;
    const slopes = seen.map((j) => dot(gradient, at, v, key(j), c.width));
    const mean = seen.reduce((sum, j, i) => sum + pattern[row + j]! * slopes[i]!, 0);
    seen.forEach((j, i) => {
      const p = pattern[row + j]!;
      const slope = c.scale * p * (slopes[i]! - mean);
      addScaled(result.v, key(j), gradient, at, p, c.width);
      addScaled(result.q, at, k, key(j), slope, c.width);
      addScaled(result.k, key(j), q, at, slope, c.width);
    });
  });
  return result;
}
