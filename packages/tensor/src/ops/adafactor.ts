import { atLeast, finite, listOf, optional, options, shapeKind } from "../arguments.ts";
import { ShapeError } from "../errors.ts";
import { type Shape, show } from "../shape.ts";
import { type AdamWOptions, checkGradientScale, trained } from "./adamw.ts";
import { checkShapes } from "./check.ts";
import { checked, f32 } from "./checked.ts";
import type { F32 } from "./ops.ts";
import { perLane, runItems, runRows } from "./parts.ts";
import { mean, sum } from "./reduce.ts";
import { wideOf } from "./row-plan.ts";

/** Options of {@link adafactorStep}; `step`, counted from 1, sets how much of the second moments is kept. */
export type AdafactorOptions = Pick<AdamWOptions, "learningRate" | "weightDecay" | "step" | "gradientScale">;

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
  {
    parameter: trained,
    gradient: f32,
    secondMoments: listOf(f32),
    options: options({ learningRate: finite, weightDecay: finite, step: atLeast(1), gradientScale: optional(f32) }),
  },
  <S extends Shape>(
    parameter: F32<S>,
    gradient: F32<S>,
    secondMoments: readonly F32[],
    { learningRate, weightDecay, step, gradientScale }: AdafactorOptions,
  ): void => {
    checkShapes("adafactorStep", { gradient }, parameter.shape);
    checkGradientScale("adafactorStep", gradientScale);
    const shapes = adafactorShapes(parameter.shape);
    if (secondMoments.length !== shapes.length)
      throw new ShapeError(
        `adafactorStep: a parameter ${show(parameter.shape)} has ${shapes.length} tensors of second moments, and ${secondMoments.length} were given`,
      );
    for (const [i, shape] of shapes.entries())
      checkShapes("adafactorStep", { [`secondMoments[${i}]`]: secondMoments[i]! }, shape);
    if (parameter.size === 0) return;
    const run: Run = {
      ...{ parameter, gradient, beta: 1 - step ** -0.8, decay: 1 - learningRate * weightDecay, rate: learningRate },
      constants: { SCALED: gradientScale !== undefined },
      // A binding must be given even where SCALED leaves it unread.
      gradient_scale: gradientScale ?? { tensor: gradient, offset: 0, size: 4 },
    };
    const [rows, columns] = secondMoments as [F32, F32?];
    if (columns) stepMatrix(run, rows, columns);
    else stepVector(run, rows);
  },
);

interface Run {
  readonly parameter: F32;
  readonly gradient: F32;
  readonly beta: number;
  readonly decay: number;
  readonly rate: number;
  readonly constants: { readonly SCALED: boolean };
  readonly gradient_scale: F32 | { readonly tensor: F32; readonly offset: number; readonly size: number };
}

function stepVector({ parameter, gradient, beta, decay, rate, constants, gradient_scale }: Run, moment: F32): void {
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

function stepMatrix(run: Run, row_moments: F32, column_moments: F32): void {
  const { parameter, gradient, decay, rate, constants, gradient_scale } = run;
  const { device, size } = parameter;
  const [rows, width] = parameter.shape as [number, number];
  using _ = device.scope("adafactorStep");
  renewMoments(run, row_moments, column_moments);
  const split = { gradient: [gradient, width], row_moments: [row_moments, 1] } as const;
  const whole = { gradient_scale, column_moments, mean: mean(row_moments) };
  const squares = device.empty([rows], "f32", "squares of updates");
  runRows(device, {
    kernel: "adafactor_length",
    ...{ constants, rows, width, whole },
    split: { ...split, squares: [squares, 1] },
  });
  runRows(device, {
    kernel: "adafactor",
    ...{ constants, rows, width },
    split: { ...split, parameter: [parameter, width] },
    whole: { ...whole, squares: sum(squares) },
    params: { elements: size, decay, rate },
  });
}

/** Most bands of rows that a gradient's sums over columns are kept for. */
const mostBands = 128;
/** Rows that `kernels/adafactor_squares.wgsl` joins at a time. */
const together = 32;

function renewMoments({ gradient, beta, constants, gradient_scale }: Run, row_moments: F32, column_moments: F32): void {
  const { device } = gradient;
  const [rows, width] = gradient.shape as [number, number];
  const band = together * Math.ceil(rows / (together * mostBands));
  const bands = Math.ceil(rows / band);
  const WIDE = wideOf(width);
  const slabs = Math.ceil(width / (64 * WIDE));
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
