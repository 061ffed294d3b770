import type { Reduction, UnaryKind } from "@lethe/tensor";
import { type Array64, array64 } from "./float64.ts";
import { attentionGradientReference } from "./reference/attention.ts";
import { logSoftmaxRows } from "./reference/losses.ts";
import { normalCdf } from "./reference/normal-cdf.ts";

// The gradients of operations in float64, by their formulas: for inputs that central differences cannot take, such as NaN and infinities.

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

const slopes: Record<UnaryKind, (x: number) => number> = {
  neg: () => -1,
  exp: Math.exp,
  log: (x) => 1 / x,
  sqrt: (x) => 0.5 / Math.sqrt(x),
  square: (x) => 2 * x,
  abs: Math.sign,
  sigmoid: (x) => sigmoid(x) * sigmoid(-x),
  logSigmoid: (x) => sigmoid(-x),
  silu: (x) => sigmoid(x) * (1 + x * sigmoid(-x)),
  relu: (x) => Math.max(Math.sign(x), 0),
  gelu: (x) => normalCdf(x) + (x * Math.exp(-0.5 * x * x)) / Math.sqrt(2 * Math.PI),
  tanh: (x) => 1 - Math.tanh(x) ** 2,
};

const widthOf = (x: Array64) => x.shape.at(-1)!;
const like = (x: Array64, value: (i: number) => number) =>
  array64(
    x.shape,
    x.data.map((_, i) => value(i)),
  );

/** `Σ value(i)` over the row of element `at`. */
function rowSum(x: Array64, at: number, value: (i: number) => number): number {
  const first = at - (at % widthOf(x));
  let sum = 0;
  for (let i = first; i < first + widthOf(x); i++) sum += value(i);
  return sum;
}

/** What a norm and its weight pass back: r (h − mean(h) − x̂ mean(h x̂)) and Σ over rows of gradient · x̂. */
function normBackward(x: Array64, weight: Array64 | null, gradient: Array64, eps: number, centred: boolean) {
  const width = widthOf(x);
  const mean = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0) / width;
  const [toX, toWeight] = [new Float64Array(x.data.length), new Float64Array(width)];
  for (let first = 0; first < x.data.length; first += width) {
    const row = x.data.slice(first, first + width);
    const centre = centred ? mean(row) : 0;
    const d = row.map((value) => value - centre);
    const r = 1 / Math.sqrt(mean(d.map((value) => value * value)) + eps);
    const g = gradient.data.slice(first, first + width);
    const h = g.map((value, c) => value * (weight?.data[c] ?? 1));
    const level = centred ? mean(h) : 0;
    const slope = mean(h.map((value, c) => value * d[c]! * r));
    toX.set(
      h.map((value, c) => r * (value - level - d[c]! * r * slope)),
      first,
    );
    for (let c = 0; c < width; c++) toWeight[c]! += g[c]! * d[c]! * r;
  }
  return { x: array64(x.shape, toX), weight: weight && array64([width], toWeight) };
}

/** The weight of each token's loss in a reduced loss. */
function tokenWeights(labels: Array64, gradient: Array64, reduction: Reduction): number[] {
  const counted = labels.data.filter((label) => label !== -100).length;
  return [...labels.data].map((label, k) => {
    if (label === -100) return 0;
    if (reduction === "mean") return gradient.data[0]! / counted;
    return gradient.data[reduction === "none" ? k : Math.floor(k / widthOf(labels))]!;
  });
}

const softmaxOf = (x: Array64) => logSoftmaxRows(x.data, widthOf(x)).map(Math.exp);

/** Gradients of operations, named and called as in `BackwardOps`. */
export const float64Backward = {
  rmsNormBackward: (x: Array64, weight: Array64 | null, gradient: Array64, { eps }: { eps: number }) =>
    normBackward(x, weight, gradient, eps, false),
  layerNormBackward(
    x: Array64,
    weight: Array64 | null,
    bias: Array64 | null,
    gradient: Array64,
    { eps }: { eps: number },
  ) {
    const width = widthOf(x);
    const toBias = new Float64Array(width);
    gradient.data.forEach((g, i) => {
      toBias[i % width]! += g;
    });
    return { ...normBackward(x, weight, gradient, eps, true), bias: bias && array64([width], toBias) };
  },
  swigluBackward: (gate: Array64, up: Array64, gradient: Array64) => ({
    gate: like(gate, (i) => gradient.data[i]! * up.data[i]! * slopes.silu(gate.data[i]!)),
    up: like(up, (i) => gradient.data[i]! * gate.data[i]! * sigmoid(gate.data[i]!)),
  }),
  unaryBackward: (x: Array64, gradient: Array64, { kind }: { kind: UnaryKind }) =>
    like(x, (i) => gradient.data[i]! * slopes[kind](x.data[i]!)),
  // As in PyTorch, nothing passes outside the limits, not even a NaN.
  clampBackward: (x: Array64, gradient: Array64, { min, max }: { min: number; max: number }) =>
    like(x, (i) =>
      x.data[i]! < min || x.data[i]! > max ? 0 : gradient.data[i]! + 0 * Math.min(Math.max(x.data[i]!, min), max),
    ),
  softmaxBackward: (output: Array64, gradient: Array64) =>
    like(
      output,
      (i) => output.data[i]! * (gradient.data[i]! - rowSum(output, i, (j) => output.data[j]! * gradient.data[j]!)),
    ),
  logSoftmaxBackward: (output: Array64, gradient: Array64) =>
    like(output, (i) => gradient.data[i]! - Math.exp(output.data[i]!) * rowSum(output, i, (j) => gradient.data[j]!)),
  crossEntropyBackward(logits: Array64, labels: Array64, gradient: Array64, { reduction }: { reduction: Reduction }) {
    const [weights, p, width] = [tokenWeights(labels, gradient, reduction), softmaxOf(logits), widthOf(logits)];
    return like(logits, (i) => {
      const row = Math.floor(i / width);
      return weights[row] === 0 ? 0 : (p[i]! - Number(i % width === labels.data[row])) * weights[row]!;
    });
  },
  klDivergenceBackward(
    reference: Array64,
    logits: Array64,
    labels: Array64,
    gradient: Array64,
    { reduction }: { reduction: Reduction },
  ) {
    const weights = tokenWeights(labels, gradient, reduction);
    const [p, q] = [softmaxOf(reference), softmaxOf(logits)];
    return like(logits, (i) => {
      const weight = weights[Math.floor(i / widthOf(logits))]!;
      return weight === 0 ? 0 : (q[i]! - p[i]!) * weight;
    });
  },
  mseBackward(a: Array64, b: Array64, gradient: Array64, { reduction }: { reduction: "rows" | "mean" }) {
    const width = reduction === "rows" ? widthOf(a) : a.data.length;
    return like(a, (i) => (2 / width) * (a.data[i]! - b.data[i]!) * gradient.data[Math.floor(i / width)]!);
  },
  /** Over the last axis. */
  maxBackward(x: Array64, output: Array64, gradient: Array64) {
    return like(x, (i) => {
      const row = Math.floor(i / widthOf(x));
      const largest = output.data[row]!;
      if (Number.isNaN(largest)) return Number.NaN;
      return x.data[i] === largest ? gradient.data[row]! / rowSum(x, i, (j) => Number(x.data[j] === largest)) : 0;
    });
  },
  attentionBackward(q: Array64, k: Array64, v: Array64, gradient: Array64, { length }: { length?: number } = {}) {
    const [batch, queries, heads, width] = q.shape as [number, number, number, number];
    const [, capacity, groups] = k.shape as [number, number, number];
    const starts = new Array<number>(batch).fill(0);
    const scale = 1 / Math.sqrt(width);
    const shape = { batch, queries, capacity, length: length ?? capacity, heads, groups, width, scale, starts };
    const to = attentionGradientReference(shape, q.data, k.data, v.data, gradient.data);
    return { q: array64(q.shape, to.q), k: array64(k.shape, to.k), v: array64(v.shape, to.v) };
  },
};
