import { type FloatDType, floatCode } from "../dtype.ts";
import { ShapeError } from "../errors.ts";
import { type Shape, show, sizeOf } from "../shape.ts";
import type { Device, Tensor } from "../tensor.ts";
import { checkShapes } from "./check.ts";
import { type MatmulKernel, type MatmulProblem, planMatmul } from "./matmul-plan.ts";
import { bind, extent, type MatmulOperand, type MatmulPart, splitMatmul } from "./matmul-split.ts";

/** A product's sizes and how its operands are stored: a {@link MatmulProblem} without what the tensors say. */
export type MatmulSize = Omit<MatmulProblem, "dtype" | "aligned" | "alignedA">;

type Bound = ReturnType<typeof bind>;

interface Operands {
  readonly a: MatmulOperand;
  readonly b: MatmulOperand;
  readonly out: MatmulOperand;
}

/** What may be said of a product beside its operands. */
interface RunOptions {
  /** Overrides the planner's choice of kernel. */
  readonly forced?: MatmulKernel | undefined;
  /** A tensor of the result's shape that is added to it. */
  readonly addend?: Tensor<Shape, "f32"> | undefined;
}

/** Computes a product whose shapes and dtypes have been checked. When `b` holds one matrix, the whole batch shares it. */
export function runMatmul(
  a: Tensor<Shape, "f32">,
  b: Tensor<Shape, FloatDType>,
  outShape: Shape,
  size: MatmulSize,
  { forced, addend }: RunOptions = {},
): Tensor<Shape, "f32"> {
  const out = a.device.empty(outShape, "f32", "matmul");
  runParts({ a, b, out, size, accumulate: false, forced, addend });
  return out;
}

/** `x Wᵀ`, and `addend`, of the shape of the result, added to it. @throws {ShapeError} (the operation) */
export function runLinear(
  operation: string,
  x: Tensor<Shape, "f32">,
  weight: Tensor<Shape, FloatDType>,
  addend?: Tensor<Shape, "f32">,
): Tensor<Shape, "f32"> {
  const [k, n] = [x.shape.at(-1), weight.shape[0]];
  if (k === undefined || weight.shape.length !== 2 || weight.shape[1] !== k)
    throw new ShapeError(
      `${operation}: input ${show(x.shape)} and weight ${show(weight.shape)} do not fit; they must be […, K] and [N, K]`,
    );
  const shape = [...x.shape.slice(0, -1), n!];
  if (addend) checkShapes(operation, { addend }, shape);
  const size = { m: sizeOf(x.shape.slice(0, -1)), n: n!, k, batch: 1, transposeA: false, transposeB: true };
  return runMatmul(x, weight, shape, size, { addend });
}

/** As {@link runMatmul}, added to what `out` holds. */
export function runMatmulInto(
  a: Tensor<Shape, "f32">,
  b: Tensor<Shape, FloatDType>,
  out: Tensor<Shape, "f32">,
  size: MatmulSize,
  forced?: MatmulKernel,
): void {
  runParts({ a, b, out, size, accumulate: true, forced });
}

interface Run extends RunOptions {
  readonly a: Tensor<Shape, "f32">;
  readonly b: Tensor<Shape, FloatDType>;
  readonly out: Tensor<Shape, "f32">;
  readonly size: MatmulSize;
  /** Adds to what `out` holds. */
  readonly accumulate: boolean;
}

function runParts({ a, b, out, size, ...options }: Run): void {
  const { m, n, k, batch, transposeA, transposeB } = size;
  const operands: Operands = {
    a: {
      tensor: a,
      axes: transposeA ? ["batch", "k", "m"] : ["batch", "m", "k"],
      strides: [m * k, transposeA ? m : k, 1],
    },
    b: {
      tensor: b,
      axes: transposeB ? ["batch", "n", "k"] : ["batch", "k", "n"],
      strides: [b.size > k * n ? k * n : 0, transposeB ? k : n, 1],
    },
    out: { tensor: out, axes: ["batch", "m", "n"], strides: [m * n, n, 1] },
  };
  const whole = { batch: extent(0, batch), m: extent(0, m), n: extent(0, n), k: extent(0, k) };
  for (const part of splitMatmul(a.device, Object.values(operands), whole))
    runPart(operands, part, { size, ...options });
}

/** Whether every row of an operand, from element `first` of its binding on, begins at a multiple of four elements. */
function inVectors(first: number, { strides }: MatmulOperand): boolean {
  return [first, ...strides.slice(0, 2)].every((elements) => elements % 4 === 0);
}

/** The largest magnitudes of both operands, from which kernels of mixed precision take scales. */
function largestOf(a: Bound, b: Bound, dtype: FloatDType, device: Device): Tensor {
  const largest = device.empty([2, 256], "u32", "matmul largest");
  const longest = Math.max(a.end - a.first, b.end - b.first);
  const groups = Math.min(256, Math.max(1, Math.ceil(longest / 4096)));
  device.dispatch({
    kernel: "half_largest",
    constants: { B_DTYPE: floatCode(dtype) },
    bindings: { a: a.binding, b: b.binding, out: largest },
    params: { a_first: a.first, a_end: a.end, b_first: b.first, b_end: b.end, groups },
    workgroups: device.grid(2 * groups),
  });
  return largest;
}

function runPart(
  operands: Operands,
  part: MatmulPart,
  { size: whole, accumulate, forced, addend }: Omit<Run, "a" | "b" | "out">,
): void {
  const { device } = operands.out.tensor;
  const [a, b, out] = [bind(operands.a, part), bind(operands.b, part), bind(operands.out, part)];
  const length = (axis: keyof MatmulPart) => part[axis].end - part[axis].start;
  const problem: MatmulProblem = {
    m: length("m"),
    n: length("n"),
    k: length("k"),
    batch: length("batch"),
    transposeA: whole.transposeA,
    transposeB: whole.transposeB,
    dtype: operands.b.tensor.dtype as FloatDType,
    aligned: inVectors(b.first, operands.b),
    alignedA: inVectors(a.first, operands.a),
  };
  const { m, n, k, batch } = problem;
  const { kernel, mixed, constants, slices, depth, workgroups } = planMatmul(problem, device.capabilities, forced);
  const accumulates = accumulate || part.k.start > 0;
  const addTo: Record<string, boolean> = accumulates ? { ACCUMULATE: true } : addend ? { ADD: true } : {};
  // A binding must be given even where it is not read.
  const added = addend && !accumulates ? { ...out.binding, tensor: addend } : a.binding;

  const [batchA, lineA] = operands.a.strides;
  const [batchB, lineB] = operands.b.strides;
  const [rowA, columnA] = problem.transposeA ? [1, lineA] : [lineA, 1];
  const [rowB, columnB] = problem.transposeB ? [1, lineB] : [lineB, 1];
  const params = {
    m,
    n,
    a_offset: a.first,
    a_row: rowA,
    a_column: columnA,
    b_offset: b.first,
    b_row: rowB,
    b_column: columnB,
    k_total: k * batch,
  };
  using largest = mixed ? largestOf(a, b, problem.dtype, device) : null;
  const inputs = { a: a.binding, b: b.binding, ...(largest && { largest }) };
  const [batchOut, rowOut] = operands.out.strides;
  if (slices === 1) {
    device.dispatch({
      kernel: `matmul_${kernel}`,
      constants: Object.assign({}, constants, addTo),
      bindings: Object.assign({}, inputs, { out: out.binding, addend: added }),
      params: Object.assign(params, {
        k,
        batch,
        a_batch: batchA,
        b_batch: batchB,
        out_offset: out.first,
        out_batch: batchOut,
        out_row: rowOut,
      }),
      workgroups: device.grid(workgroups),
    });
    return;
  }
  // The slices are a batch of products; each begins `depth` further along k in both operands.
  using partial = device.empty([slices, m, n], "f32", "matmul slices");
  device.dispatch({
    kernel: `matmul_${kernel}`,
    constants,
    bindings: Object.assign({}, inputs, { out: partial, addend: a.binding }),
    params: Object.assign(params, {
      k: depth,
      batch: slices,
      a_batch: depth * columnA,
      b_batch: depth * rowB,
      out_offset: 0,
      out_batch: m * n,
      out_row: n,
    }),
    workgroups: device.grid(workgroups),
  });
  device.dispatch({
    kernel: "matmul_sum",
    constants: addTo,
    bindings: { slices: partial, out: out.binding, addend: added },
    params: { m, n, slices, out_offset: out.first, out_row: rowOut },
    workgroups: device.grid(Math.ceil((m * n) / 64)),
  });
}
