import { atLeast, finite, instanceOf, listOf, optional, options, shapeKind } from "../arguments.ts";
import { ShapeError } from "../errors.ts";
import { type Shape, show } from "../shape.ts";
import { Device } from "../tensor.ts";
import { viewAt } from "../view-at.ts";
import { type AdamWOptions, checkGradientScale, trained } from "./adamw.ts";
import { checkShapes } from "./check.ts";
import { checked, f32 } from "./checked.ts";
import type { F32 } from "./ops.ts";
import { perLane, runItems, runRows } from "./parts.ts";
import { blockElements, mean, sum } from "./reduce.ts";
import { wideOf } from "./row-plan.ts";

/** Options of {@link adafactorStep}; `step`, counted from 1, sets how much of the second moments is kept. */
export type AdafactorOptions = Pick<AdamWOptions, "learningRate" | "weightDecay" | "step" | "gradientScale">;

const fields = { learningRate: finite, weightDecay: finite, step: atLeast(1), gradientScale: optional(f32) };

/**
 * Shapes of the tensors that {@link adafactorStep} keeps of a parameter: of a matrix `[R, C]` the second moments of its rows, `[R]`, and of its
 * columns, `[C]`; of a vector or a scalar one of its own shape.
 * @throws {ShapeError} for a parameter of more than two axes
 */
export const adafactorShapes = checked("adafactorShapes", { shape: shapeKind }, (shape: Shape): Shape[] => {
  if (shape.length > 2)
    throw new ShapeError(
      `adafactorShapes: a parameter ${show(shape)} has ${shape.length} axes; reshape it to a matrix, whose rows and columns have moments`,
    );
  return shape.length === 2 ? shape.map((size) => [size]) : [shape];
});

/**
 * One step of Adafactor (Shazeer & Stern 2018, algorithms 4 and 5) without a first moment, in place on the parameter and its second moments, which
 * start as zeros. With g the gradient, β = 1 − t⁻⁰·⁸ at step t and ε = 10⁻³⁰, a matrix keeps the means over its rows and columns,
 * `R ← β R + (1 − β) mean(g² + ε)` and C likewise, and its update is `u = g / √(R Cᵀ / mean(R))`. A vector keeps
 * `v ← β v + (1 − β)(g² + ε)`, with `u = g / √v`. Then `p ← p (1 − η λ) − η u / max(1, RMS(u))`: the update is clipped to a root mean square of 1,
 * and the weight decay λ is decoupled, as AdamW's. The learning rate η is the caller's. This is `Adafactor` of Hugging Face's `transformers` with
 * `scale_parameter=False` and `relative_step=False`. Sums run in an order that only shapes decide.
 * @param secondMoments of the shapes that {@link adafactorShapes} gives
 * @throws {ShapeError} when a shape is another, the parameter has more than two axes, or the gradient's scale is not a scalar
 */
export const adafactorStep = checked(
  "adafactorStep",
  { parameter: trained, gradient: f32, secondMoments: listOf(f32), options: options(fields) },
  <S extends Shape>(
    parameter: F32<S>,
    gradient: F32<S>,
    secondMoments: readonly F32[],
    options: AdafactorOptions,
  ): void => {
    checkShapes("adafactorStep", { gradient }, parameter.shape);
    checkState("adafactorStep", gradient, secondMoments, options);
    using _ = parameter.device.scope("adafactorStep");
    begin(gradient, secondMoments, options)(parameter, 0);
  },
);

/**
 * Moves rows of a parameter in place.
 * @param rows of a matrix some rows; a vector or a scalar is given whole
 * @param first the index of the first of them, 0 for a vector. The bytes of its gradient and of its moment begin where kernels can bind
 */
export type AdafactorMove = (rows: F32, first: number) => void;

/**
 * The first half of {@link adafactorStep}, for parameters whose f32 values are not all in memory at once: it renews the second moments of a
 * matrix, and gives the function that moves its rows. What that reads belongs to the innermost open scope.
 * @throws {ShapeError} as {@link adafactorStep} does
 */
export const beginAdafactorStep = checked(
  "beginAdafactorStep",
  { gradient: f32, secondMoments: listOf(f32), options: options(fields) },
  (gradient: F32, secondMoments: readonly F32[], options: AdafactorOptions): AdafactorMove => {
    checkState("beginAdafactorStep", gradient, secondMoments, options);
    return begin(gradient, secondMoments, options);
  },
);

function checkState(
  operation: string,
  { shape }: F32,
  secondMoments: readonly F32[],
  { gradientScale }: AdafactorOptions,
): void {
  checkGradientScale(operation, gradientScale);
  const shapes = adafactorShapes(shape);
  if (secondMoments.length !== shapes.length)
    throw new ShapeError(
      `${operation}: a parameter ${show(shape)} has ${shapes.length} tensors of second moments, and ${secondMoments.length} were given`,
    );
  for (const [i, shape] of shapes.entries())
    checkShapes(operation, { [`secondMoments[${i}]`]: secondMoments[i]! }, shape);
}

function begin(
  gradient: F32,
  secondMoments: readonly F32[],
  { learningRate, weightDecay, step, gradientScale }: AdafactorOptions,
): AdafactorMove {
  if (gradient.size === 0) return () => {};
  const run: Run = {
    ...{ gradient, beta: 1 - step ** -0.8, decay: 1 - learningRate * weightDecay, rate: learningRate },
    constants: { SCALED: gradientScale !== undefined },
    // A binding must be given even where SCALED leaves it unread.
    gradient_scale: gradientScale ?? { tensor: gradient, offset: 0, size: 4 },
  };
  const [rows, columns] = secondMoments as [F32, F32?];
  return columns ? moveMatrix(run, rows, columns) : (parameter) => moveVector(run, parameter, rows);
}

interface Run {
  readonly gradient: F32;
  readonly beta: number;
  readonly decay: number;
  readonly rate: number;
  readonly constants: { readonly SCALED: boolean };
  readonly gradient_scale: F32 | { readonly tensor: F32; readonly offset: number; readonly size: number };
}

function moveVector(
  { gradient, beta, decay, rate, constants, gradient_scale }: Run,
  parameter: F32,
  moment: F32,
): void {
  const width = parameter.size;
  runRows(parameter.device, {
    kernel: "adafactor_vector",
    constants,
    ...{ rows: 1, width },
    split: { parameter: [parameter, width], gradient: [gradient, width], moment: [moment, width] },
    whole: { gradient_scale },
    params: { beta, gain: 1 - beta, decay, rate },
  });
}

function moveMatrix(run: Run, row_moments: F32, column_moments: F32): AdafactorMove {
  const { gradient, decay, rate, constants, gradient_scale } = run;
  const { device, size: elements } = gradient;
  const [rows, width] = gradient.shape as [number, number];
  renewMoments(run, row_moments, column_moments);
  const whole = { gradient_scale, column_moments, mean: mean(row_moments) };
  const squares = device.empty([rows], "f32", "squares of updates");
  runRows(device, {
    kernel: "adafactor_length",
    ...{ constants, rows, width, whole },
    split: { gradient: [gradient, width], row_moments: [row_moments, 1], squares: [squares, 1] },
  });
  const total = sum(squares);
  return (parameter, first) => {
    const [count = 0] = parameter.shape;
    using gradients = viewAt(gradient, 4 * first * width, [count, width]);
    using moments = viewAt(row_moments, 4 * first, [count]);
    runRows(device, {
      kernel: "adafactor",
      ...{ constants, rows: count, width },
      split: { gradient: [gradients, width], row_moments: [moments, 1], parameter: [parameter, width] },
      whole: { ...whole, squares: total },
      params: { elements, decay, rate },
    });
  };
}

/** The largest memory that a step takes for a while, in bytes, for a parameter of a shape. @function */
export const adafactorScratch = checked(
  "adafactorScratch",
  { device: instanceOf(Device), shape: shapeKind },
  (device: Device, shape: Shape): number => {
    if (shape.length < 2) return 0;
    const [rows, width] = shape as [number, number];
    const { bands, slabs } = sumsOf(rows, width);
    // The sums of a gradient's squares, those of its update's, the mean and the total, and what a sum of many rows is made of.
    const sizes = [rows * slabs, bands * width, rows, 1, 1, ...(rows > blockElements ? [rows / blockElements] : [])];
    return sizes.reduce((bytes, size) => bytes + device.pool.sizeOf(4 * Math.ceil(size)), 0);
  },
);

/** Most bands of rows that a gradient's sums over columns are kept for. */
const mostBands = 128;
/** Rows that `kernels/adafactor_squares.wgsl` joins at a time. */
const together = 32;

/** How the sums of a gradient's squares are divided: in bands of rows, and in slabs of columns. */
function sumsOf(rows: number, width: number) {
  const band = together * Math.ceil(rows / (together * mostBands));
  const WIDE = wideOf(width);
  return { band, bands: Math.ceil(rows / band), slabs: Math.ceil(width / (64 * WIDE)), WIDE };
}

function renewMoments({ gradient, beta, constants, gradient_scale }: Run, row_moments: F32, column_moments: F32): void {
  const { device } = gradient;
  const [rows, width] = gradient.shape as [number, number];
  const { band, bands, slabs, WIDE } = sumsOf(rows, width);
  const row_sums = device.empty([rows, slabs], "f32", "sums over rows");
  const column_sums = device.empty([bands, width], "f32", "sums over columns");
  runItems(device, {
    kernel: "adafactor_squares",
    constants: Object.assign({ WIDE }, constants),
    items: bands,
    workgroups: (count) => count * slabs,
    split: { gradient: [gradient, band * width] },
    whole: { gradient_scale, row_sums, column_sums },
    params: (count, start) => ({ rows: Math.min(count * band, rows - start * band), width, band, slabs, start }),
  });
  device.dispatch({
    kernel: "adafactor_moments",
    bindings: { row_sums, column_sums, row_moments, column_moments },
    params: { rows, width, slabs, bands, beta, row_gain: (1 - beta) / width, column_gain: (1 - beta) / rows },
    workgroups: device.grid(perLane(rows + width)),
  });
}
