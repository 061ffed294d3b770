import { flag, oneOf, optional, options } from "../arguments.ts";
import { ShapeError } from "../errors.ts";
import { type Shape, show, sizeOf } from "../shape.ts";
import { checkShapes } from "./check.ts";
import { anyFloat, checked, f32 } from "./checked.ts";
import { type MatmulKernel, matmulKernels } from "./matmul-plan.ts";
import { type MatmulSize, runLinear, runMatmul, runMatmulInto } from "./matmul-run.ts";
import type { F32, Ops, Weight } from "./ops.ts";

/** How the operands of {@link matmul} are stored. */
export interface MatmulOptions {
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
}

const transposes = options({ transposeA: optional(flag), transposeB: optional(flag) });

/** {@inheritDoc DifferentiableOps.matmul} @function */
export const matmul: Ops["matmul"] = checked(
  "matmul",
  { a: f32, b: anyFloat, options: transposes },
  (a, b, options) => product(undefined, a, b, options) as never,
);

/**
 * {@inheritDoc BackwardOps.matmulInto}
 * @param forced overrides the choice of kernel, for tests and for {@link mixedOps}.
 */
export const matmulInto = checked(
  "matmulInto",
  { target: f32, a: f32, b: anyFloat, options: transposes, forced: optional(oneOf(matmulKernels)) },
  (target: F32, a: F32, b: Weight, options?: MatmulOptions, forced?: MatmulKernel): void => {
    const { shape, size } = checkProduct("matmulInto", a, b, options);
    checkShapes("matmulInto", { target }, shape);
    runMatmulInto(a, b, target, size, forced);
  },
);

/** {@inheritDoc DifferentiableOps.linear} @function */
export const linear: Ops["linear"] = checked(
  "linear",
  { x: f32, weight: anyFloat },
  (x, weight) => runLinear("linear", x, weight) as never,
);

/** {@inheritDoc Ops.effectiveWeight} @function */
export const effectiveWeight: Ops["effectiveWeight"] = checked(
  "effectiveWeight",
  { weight: anyFloat },
  (weight) => weight,
);

/** {@link matmul} by a kernel of the caller's choice, for tests and benchmarks; `undefined` leaves it to the planner. */
export const matmulWith = checked(
  "matmulWith",
  { kernel: optional(oneOf(matmulKernels)), a: f32, b: anyFloat, options: transposes },
  (kernel: MatmulKernel | undefined, a: F32, b: Weight, options?: MatmulOptions): F32 => product(kernel, a, b, options),
);

function product(kernel: MatmulKernel | undefined, a: F32, b: Weight, options: MatmulOptions | undefined): F32 {
  const { shape, size } = checkProduct("matmul", a, b, options);
  return runMatmul(a, b, shape, size, { forced: kernel });
}

/** The shape and sizes of a product. @throws {ShapeError} when the operands do not fit each other */
function checkProduct(
  operation: string,
  a: F32,
  b: Weight,
  { transposeA = false, transposeB = false }: MatmulOptions = {},
): { shape: Shape; size: MatmulSize } {
  if (a.shape.length < 2 || b.shape.length < 2)
    throw new ShapeError(`${operation}: ${show(a.shape)} and ${show(b.shape)} must both have at least two axes`);
  const lead = a.shape.slice(0, -2);
  const [rowsA, columnsA] = a.shape.slice(-2) as [number, number];
  const [rowsB, columnsB] = b.shape.slice(-2) as [number, number];
  const [m, k] = transposeA ? [columnsA, rowsA] : [rowsA, columnsA];
  const [inner, n] = transposeB ? [columnsB, rowsB] : [rowsB, columnsB];
  const stored = `${show(a.shape)}${transposeA ? "ᵀ" : ""} @ ${show(b.shape)}${transposeB ? "ᵀ" : ""}`;
  if (inner !== k) throw new ShapeError(`${operation}: ${stored}: inner dimensions ${k} and ${inner} differ`);
  const shared = b.shape.length === 2;
  if (!shared && show(lead) !== show(b.shape.slice(0, -2)))
    throw new ShapeError(
      `${operation}: ${stored}: leading axes ${show(lead)} and ${show(b.shape.slice(0, -2))} differ`,
    );
  // Rows of a batch that shares b are rows of one taller matrix.
  const fold = shared && !transposeA;
  const batch = sizeOf(lead);
  const size = { m: fold ? batch * m : m, n, k, batch: fold ? 1 : batch };
  return { shape: [...lead, m, n], size: { ...size, transposeA, transposeB } };
}
