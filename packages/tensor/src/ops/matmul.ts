import type { FloatDType } from "../dtype.ts";
import { ShapeError } from "../errors.ts";
import type { Device } from "../gpu/device.ts";
import { type Shape, show, sizeOf } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { type MatmulKernel, type MatmulShape, planMatmul } from "./matmul-plan.ts";
import { bind, type MatmulOperand, type MatmulPart, splitMatmul } from "./matmul-split.ts";
import type { Ops } from "./ops.ts";

/** How the operands of {@link matmul} are stored. */
export interface MatmulOptions {
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
}

/**
 * `a @ b` over the last two axes, in f32: `[…, M, K] @ […, K, N] = […, M, N]`. The leading axes are equal, or `b` is a matrix that
 * all of `a` shares. `transposeA` says that `a` is stored `[…, K, M]`, `transposeB` that `b` is stored `[…, N, K]`. An operand larger
 * than the adapter's largest binding is read in parts.
 * @throws {ShapeError} when the inner dimensions or the leading axes differ, or an operand has fewer than two axes.
 */
export const matmul: Ops["matmul"] = (a, b, options = {}) => matmulWith(undefined, a, b, options) as never;

/**
 * `x Wᵀ`: `[…, K]` by a weight `[N, K]` gives `[…, N]`.
 * @throws {ShapeError} when the weight is not a matrix or its width differs from that of `x`.
 */
export const linear: Ops["linear"] = (x, weight) => {
  const [k, n] = [x.shape.at(-1), weight.shape[0]];
  if (k === undefined || weight.shape.length !== 2 || weight.shape[1] !== k)
    throw new ShapeError(
      `linear: input ${show(x.shape)} and weight ${show(weight.shape)} do not fit; they must be […, K] and [N, K]`,
    );
  const m = sizeOf(x.shape.slice(0, -1));
  const shape: MatmulShape = { m, n: n!, k, batch: 1, transposeA: false, transposeB: true, dtype: weight.dtype };
  return compute(undefined, x, weight, shape, false, [...x.shape.slice(0, -1), n!]) as never;
};

/** {@link matmul} by a kernel of the caller's choice, for tests and benchmarks; `undefined` leaves it to the planner. */
export function matmulWith(
  kernel: MatmulKernel | undefined,
  a: Tensor<Shape, "f32">,
  b: Tensor<Shape, FloatDType>,
  { transposeA = false, transposeB = false }: MatmulOptions = {},
): Tensor<Shape, "f32"> {
  if (a.shape.length < 2 || b.shape.length < 2)
    throw new ShapeError(`matmul: ${show(a.shape)} and ${show(b.shape)} must both have at least two axes`);
  const lead = a.shape.slice(0, -2);
  const [rowsA, columnsA] = a.shape.slice(-2) as [number, number];
  const [rowsB, columnsB] = b.shape.slice(-2) as [number, number];
  const [m, k] = transposeA ? [columnsA, rowsA] : [rowsA, columnsA];
  const [inner, n] = transposeB ? [columnsB, rowsB] : [rowsB, columnsB];
  const stored = `${show(a.shape)}${transposeA ? "ᵀ" : ""} @ ${show(b.shape)}${transposeB ? "ᵀ" : ""}`;
  if (inner !== k) throw new ShapeError(`matmul: ${stored}: inner dimensions ${k} and ${inner} differ`);
  const shared = b.shape.length === 2;
  if (!shared && show(lead) !== show(b.shape.slice(0, -2)))
    throw new ShapeError(`matmul: ${stored}: leading axes ${show(lead)} and ${show(b.shape.slice(0, -2))} differ`);
  // Rows of a batch that shares b are rows of one taller matrix.
  const fold = shared && !transposeA;
  const batch = sizeOf(lead);
  const shape = { m: fold ? batch * m : m, n, k, batch: fold ? 1 : batch, transposeA, transposeB, dtype: b.dtype };
  return compute(kernel, a, b, shape, shared, [...lead, m, n]);
}

function compute(
  kernel: MatmulKernel | undefined,
  a: Tensor<Shape, "f32">,
  b: Tensor<Shape, FloatDType>,
  shape: MatmulShape,
  shared: boolean,
  outShape: Shape,
): Tensor<Shape, "f32"> {
  const { m, n, k, batch, transposeA, transposeB } = shape;
  const { device } = a;
  if (a.dtype !== "f32") throw new ShapeError(`matmul: the first operand is ${a.dtype}; it must be f32`);
  const out = device.empty(outShape, "f32", "matmul");
  const operands: Record<"a" | "b" | "out", MatmulOperand> = {
    a: {
      tensor: a,
      axes: ["batch", ...(transposeA ? (["k", "m"] as const) : (["m", "k"] as const))],
      strides: [m * k, transposeA ? m : k, 1],
    },
    b: {
      tensor: b,
      axes: ["batch", ...(transposeB ? (["n", "k"] as const) : (["k", "n"] as const))],
      strides: [shared ? 0 : k * n, transposeB ? k : n, 1],
    },
    out: { tensor: out, axes: ["batch", "m", "n"], strides: [m * n, n, 1] },
  };
  const whole = {
    batch: { start: 0, end: batch },
    m: { start: 0, end: m },
    n: { start: 0, end: n },
    k: { start: 0, end: k },
  };
  for (const part of splitMatmul(device, Object.values(operands), whole)) run(device, kernel, operands, part, shape);
  return out;
}

function run(
  device: Device,
  forced: MatmulKernel | undefined,
  operands: Record<"a" | "b" | "out", MatmulOperand>,
  part: MatmulPart,
  whole: MatmulShape,
): void {
  const size = (axis: keyof MatmulPart) => part[axis].end - part[axis].start;
  const shape = { ...whole, m: size("m"), n: size("n"), k: size("k"), batch: size("batch") };
  const { kernel, constants, workgroups } = planMatmul(shape, device.capabilities, forced);
  const [a, b, out] = [bind(operands.a, part), bind(operands.b, part), bind(operands.out, part)];
  const [strideA, strideB] = [operands.a.strides, operands.b.strides];
  device.dispatch({
    kernel: `matmul_${kernel}`,
    constants,
    bindings: { a: a.binding, b: b.binding, out: out.binding },
    params: {
      m: shape.m,
      n: shape.n,
      k: shape.k,
      batch: shape.batch,
      a_offset: a.first,
      a_batch: strideA[0],
      a_row: whole.transposeA ? 1 : strideA[1],
      a_column: whole.transposeA ? strideA[1] : 1,
      b_offset: b.first,
      b_batch: strideB[0],
      b_row: whole.transposeB ? 1 : strideB[1],
      b_column: whole.transposeB ? strideB[1] : 1,
      out_offset: out.first,
      out_batch: operands.out.strides[0],
      out_row: operands.out.strides[1],
      accumulate: part.k.start > 0 ? 1 : 0,
    },
    workgroups: device.grid(workgroups),
  });
}
