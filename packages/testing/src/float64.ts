import type { Ops, Reduction, UnaryKind } from "@lethe/tensor";
import { attentionReference } from "./reference/attention.ts";
import { broadcastBinary, indexOf, sizeOf } from "./reference/broadcast.ts";
import { crossEntropyRows, klDivergenceRows, logSoftmaxRows, reduceTokens } from "./reference/losses.ts";
import { matmulReference } from "./reference/matmul.ts";
import { normalizeRows } from "./reference/norm.ts";
import { normalCdf } from "./reference/normal-cdf.ts";

/** Row-major numbers in float64. {@link float64Ops} takes them where other operations take a tensor of any dtype. */
export interface Array64 {
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

type Row = Float64Array;

export function array64(shape: readonly number[], data: Iterable<number>): Array64 {
  return { shape, data: Float64Array.from(data) };
}

const total = (values: Iterable<number>) => [...values].reduce((sum, value) => sum + value, 0);
const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

/** The functions of `unary`. */
export const unaryFunctions: Record<UnaryKind, (x: number) => number> = {
  neg: (x) => -x,
  exp: Math.exp,
  log: Math.log,
  sqrt: Math.sqrt,
  square: (x) => x * x,
  abs: Math.abs,
  sigmoid,
  logSigmoid: (x) => Math.min(x, 0) - Math.log1p(Math.exp(-Math.abs(x))),
  silu: (x) => x * sigmoid(x),
  relu: (x) => Math.max(x, 0),
  gelu: (x) => x * normalCdf(x),
  tanh: Math.tanh,
};

function map(x: Array64, change: (value: number, i: number) => number): Array64 {
  return { shape: x.shape, data: x.data.map(change) };
}

/** Rows along the last axis. */
function rowsOf(x: Array64): Row[] {
  const width = x.shape.at(-1)!;
  return Array.from({ length: x.data.length / width }, (_, r) => x.data.slice(r * width, (r + 1) * width));
}

function mapRows(x: Array64, change: (row: Row, r: number) => ArrayLike<number>): Array64 {
  return array64(
    x.shape,
    rowsOf(x).flatMap((row, r) => Array.from(change(row, r))),
  );
}

/** `out[i] = x[source(index of i)]` for every multi-index of `shape`. */
function pick(x: Array64, shape: readonly number[], source: (index: number[]) => readonly number[]): Array64 {
  return array64(
    shape,
    Array.from({ length: sizeOf(shape) }, (_, flat) => {
      return x.data[source(indexOf(shape, flat)).reduce((at, i, axis) => at * x.shape[axis]! + i, 0)]!;
    }),
  );
}

function broadcast(a: Array64, b: Array64, combine: (a: number, b: number) => number): Array64 {
  const { values, shape } = broadcastBinary(combine, a.data, a.shape, b.data, b.shape);
  return { shape, data: values };
}

interface AxisOptions {
  readonly axis?: number;
  readonly keepDims?: boolean;
}

function reduce(x: Array64, { axis, keepDims }: AxisOptions, combine: (values: number[]) => number): Array64 {
  if (axis === undefined) return array64(keepDims ? x.shape.map(() => 1) : [], [combine([...x.data])]);
  const at = axis < 0 ? axis + x.shape.length : axis;
  const shape = x.shape.toSpliced(at, 1);
  const slices = Array.from({ length: x.shape[at]! }, (_, k) => pick(x, shape, (index) => index.toSpliced(at, 0, k)));
  return array64(
    keepDims ? x.shape.with(at, 1) : shape,
    Array.from({ length: sizeOf(shape) }, (_, i) => combine(slices.map(({ data }) => data[i]!))),
  );
}

function normalize(x: Array64, weight: Array64 | null, bias: Array64 | null, eps: number, centered: boolean): Array64 {
  const gains = { ...(weight && { weight: weight.data }), ...(bias && { bias: bias.data }) };
  return { shape: x.shape, data: normalizeRows(x.data, x.shape.at(-1)!, { centered, eps, ...gains }) };
}

interface AttentionOptions64 {
  readonly starts?: Array64;
  readonly length?: number;
  readonly scale?: number;
  readonly causal?: boolean;
}

function attend(q: Array64, k: Array64, v: Array64, options: AttentionOptions64 = {}) {
  const [batch, queries, heads, width] = q.shape as [number, number, number, number];
  const [, capacity, groups] = k.shape as [number, number, number];
  const { length = capacity, scale = 1 / Math.sqrt(width), causal = true } = options;
  const starts = [...(options.starts?.data ?? new Float64Array(batch))];
  const shape = { batch, queries, capacity, length, heads, groups, width, scale, starts, causal };
  const { output, pattern } = attentionReference(shape, q.data, k.data, v.data);
  return {
    output: { shape: q.shape, data: output },
    pattern: { shape: [batch, heads, queries, length], data: pattern },
  };
}

/** Sums up losses of rows, of which those with label −100 do not count. */
function reduceRows(losses: Float64Array, labels: Array64, reduction: Reduction): Array64 {
  const shape = { none: labels.shape, sequence: labels.shape.slice(0, -1), mean: [] }[reduction];
  return { shape, data: reduceTokens(losses, labels.data, reduction, labels.shape.at(-1)!) };
}

/** The operations in float64, as plain loops. Gradients are checked against central differences of these. */
const implementation = {
  matmul(a: Array64, b: Array64, { transposeA = false, transposeB = false } = {}) {
    const [p, q] = a.shape.slice(-2) as [number, number];
    const [m, k] = transposeA ? [q, p] : [p, q];
    const n = b.shape.at(transposeB ? -2 : -1)!;
    const batch = sizeOf(a.shape.slice(0, -2));
    const shared = b.shape.length === 2;
    const data = matmulReference(a.data, b.data, { m, n, k, batch, shared, transposeA, transposeB });
    return { shape: [...a.shape.slice(0, -2), m, n], data };
  },
  linear(x: Array64, weight: Array64) {
    const [n, k] = weight.shape as [number, number];
    const m = x.data.length / k;
    const data = matmulReference(x.data, weight.data, { m, n, k, transposeB: true });
    return { shape: [...x.shape.slice(0, -1), n], data };
  },
  embedding(table: Array64, ids: Array64) {
    const rows = rowsOf(table);
    return array64(
      [...ids.shape, table.shape[1]!],
      [...ids.data].flatMap((id) => [...rows[id]!]),
    );
  },
  rmsNorm: (x: Array64, weight: Array64 | null, { eps }: { eps: number }) => normalize(x, weight, null, eps, false),
  layerNorm(x: Array64, weight: Array64 | null, bias: Array64 | null, { eps }: { eps: number }) {
    return normalize(x, weight, bias, eps, true);
  },
  rope(x: Array64, table: Array64, positions: Array64, { inverse = false } = {}) {
    const [heads, width] = x.shape.slice(2) as [number, number];
    const half = width / 2;
    const angles = rowsOf(table);
    return mapRows(x, (row, r) => {
      const angle = angles[positions.data[Math.floor(r / heads)]!]!;
      return row.map((v, i) => {
        const sin = angle[half + (i % half)]! * (inverse ? -1 : 1);
        return v * angle[i % half]! + (i < half ? -row[i + half]! : row[i - half]!) * sin;
      });
    });
  },
  attention: (q: Array64, k: Array64, v: Array64, options?: AttentionOptions64) => attend(q, k, v, options).output,
  attentionPattern: (q: Array64, k: Array64, options?: AttentionOptions64) => attend(q, k, k, options).pattern,
  attendWithPattern(pattern: Array64, v: Array64) {
    const [batch, heads, queries, length] = pattern.shape as [number, number, number, number];
    const [, capacity, groups, width] = v.shape as [number, number, number, number];
    const shape = [batch, queries, heads, width];
    const data = Array.from({ length: sizeOf(shape) }, (_, flat) => {
      const [b, t, h, d] = indexOf(shape, flat) as [number, number, number, number];
      const g = Math.floor(h / (heads / groups));
      const row = ((b * heads + h) * queries + t) * length;
      const weights = pattern.data.subarray(row, row + length);
      return total(weights.map((p, s) => p * v.data[((b * capacity + s) * groups + g) * width + d]!));
    });
    return array64(shape, data);
  },
  swiglu: (gate: Array64, up: Array64) => map(gate, (value, i) => unaryFunctions.silu(value) * up.data[i]!),
  add: (a: Array64, b: Array64) => broadcast(a, b, (x, y) => x + y),
  sub: (a: Array64, b: Array64) => broadcast(a, b, (x, y) => x - y),
  mul: (a: Array64, b: Array64) => broadcast(a, b, (x, y) => x * y),
  div: (a: Array64, b: Array64) => broadcast(a, b, (x, y) => x / y),
  affine: (x: Array64, { factor = 1, offset = 0 }) => map(x, (value) => value * factor + offset),
  unary: (x: Array64, { kind }: { kind: UnaryKind }) => map(x, unaryFunctions[kind]),
  clamp: (x: Array64, { min, max }: { min: number; max: number }) => map(x, (v) => Math.min(Math.max(v, min), max)),
  softmax: (x: Array64) => map(implementation.logSoftmax(x), Math.exp),
  logSoftmax: (x: Array64) => ({ shape: x.shape, data: logSoftmaxRows(x.data, x.shape.at(-1)!) }),
  crossEntropy(logits: Array64, labels: Array64, { reduction }: { reduction: Reduction }) {
    return reduceRows(crossEntropyRows(logits.data, labels.data, logits.shape.at(-1)!), labels, reduction);
  },
  linearCrossEntropy(x: Array64, weight: Array64, labels: Array64, options: { reduction: Reduction }) {
    return implementation.crossEntropy(implementation.linear(x, weight), labels, options);
  },
  klDivergence(reference: Array64, logits: Array64, labels: Array64, { reduction }: { reduction: Reduction }) {
    const rows = klDivergenceRows(reference.data, logits.data, labels.data, logits.shape.at(-1)!);
    return reduceRows(rows, labels, reduction);
  },
  mse(a: Array64, b: Array64, { reduction }: { reduction: "rows" | "mean" }) {
    const squares = map(a, (value, i) => (value - b.data[i]!) ** 2);
    return implementation.mean(squares, reduction === "rows" ? { axis: -1 } : {});
  },
  gatherRows(x: Array64, index: Array64) {
    return pick(x, [index.shape[0]!, ...x.shape.slice(1)], ([k, ...rest]) => [index.data[k!]!, ...rest]);
  },
  scatterRows(values: Array64, index: Array64, { rows }: { rows: number }) {
    const width = values.data.length / values.shape[0]!;
    const data = new Float64Array(rows * width);
    for (const [k, row] of index.data.entries())
      for (let i = 0; i < width; i++) data[row * width + i]! += values.data[k * width + i]!;
    return { shape: [rows, ...values.shape.slice(1)], data };
  },
  sum: (x: Array64, options: AxisOptions = {}) => reduce(x, options, total),
  mean: (x: Array64, options: AxisOptions = {}) => reduce(x, options, (values) => total(values) / values.length),
  max: (x: Array64, options: AxisOptions = {}) => reduce(x, options, (values) => Math.max(...values)),
  reshape: (x: Array64, { shape }: { shape: readonly number[] }) => ({ shape, data: x.data }),
  permute(x: Array64, { axes }: { axes: readonly number[] }) {
    const shape = axes.map((axis) => x.shape[axis]!);
    return pick(x, shape, (index) => x.shape.map((_, axis) => index[axes.indexOf(axis)]!));
  },
  slice(x: Array64, { axis, start, end }: { axis: number; start: number; end: number }) {
    return pick(x, x.shape.toSpliced(axis, 1, end - start), (index) => index.toSpliced(axis, 1, index[axis]! + start));
  },
  concat(a: Array64, b: Array64, { axis }: { axis: number }) {
    const joint = a.shape[axis]!;
    const shape = a.shape.toSpliced(axis, 1, joint + b.shape[axis]!);
    const inA = pick(a, shape, (index) => index.toSpliced(axis, 1, Math.min(index[axis]!, joint - 1)));
    const inB = pick(b, shape, (index) => index.toSpliced(axis, 1, Math.max(index[axis]! - joint, 0)));
    const fromB = sizeOf(shape.slice(axis + 1));
    return map(inA, (value, i) => (Math.floor(i / fromB) % shape[axis]! < joint ? value : inB.data[i]!));
  },
  cast: (x: Array64) => x,
};

/** The same, typed as `Ops`: code that is written against `Ops` then computes in float64. */
export const float64Ops = implementation as unknown as Ops;
