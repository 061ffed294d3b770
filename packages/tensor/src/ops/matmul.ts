import type { FloatDType } from "../dtype.ts";
import { ShapeError } from "../errors.ts";
import { type Shape, show, sizeOf } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { checkDType } from "./check.ts";
import type { MatmulKernel } from "./matmul-plan.ts";
import { runMatmul } from "./matmul-run.ts";
import type { Ops } from "./ops.ts";

/** How the operands of {@link matmul} are stored. */
export interface MatmulOptions {
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
}

/**
 * `a @ b` over the last two axes: `[…, M, K] @ […, K, N] = […, M, N]`, all in f32 but for `b`, which may be packed. The leading axes are equal, or `b` is a matrix that
 * all of `a` shares. `transposeA` says that `a` is stored `[…, K, M]`, `transposeB` that `b` is stored `[…, N, K]`. An operand larger
 * than the adapter's largest binding is read in parts.
 * @throws {ShapeError} when the inner dimensions or the leading axes differ, an operand has fewer than two axes, or a dtype is not one of these.
 */
export const matmul: Ops["matmul"] = (a, b, options = {}) => matmulWith(undefined, a, b, options) as never;

/**
 * `x Wᵀ`: `[…, K]` by a weight `[N, K]` gives `[…, N]`.
 * @throws {ShapeError} when the weight is not a matrix or its width differs from that of `x`, or a dtype is not f32 or, for the weight, packed.
 */
export const linear: Ops["linear"] = (x, weight) => {
  checkDType("linear", "the input", x, "f32");
  checkDType("linear", "the weight", weight, "f32", "f16", "bf16");
  const [k, n] = [x.shape.at(-1), weight.shape[0]];
  if (k === undefined || weight.shape.length !== 2 || weight.shape[1] !== k)
    throw new ShapeError(
      `linear: input ${show(x.shape)} and weight ${show(weight.shape)} do not fit; they must be […, K] and [N, K]`,
    );
  const m = sizeOf(x.shape.slice(0, -1));
  const size = { m, n: n!, k, batch: 1 };
  return runMatmul(x, weight, [...x.shape.slice(0, -1), n!], { ...size, transposeA: false, transposeB: true }) as never;
};

/** {@link matmul} by a kernel of the caller's choice, for tests and benchmarks; `undefined` leaves it to the planner. */
export function matmulWith(
  kernel: MatmulKernel | undefined,
  a: Tensor<Shape, "f32">,
  b: Tensor<Shape, FloatDType>,
  { transposeA = false, transposeB = false }: MatmulOptions = {},
): Tensor<Shape, "f32"> {
  checkDType("matmul", "the left operand", a, "f32");
  checkDType("matmul", "the right operand", b, "f32", "f16", "bf16");
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
  const size = { m: fold ? batch * m : m, n, k, batch: fold ? 1 : batch };
  return runMatmul(a, b, [...lead, m, n], { ...size, transposeA, transposeB }, kernel);
}
