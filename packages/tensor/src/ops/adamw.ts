import { atLeast, finite, type Kind, optional, options, type Signature } from "../arguments.ts";
import { ShapeError } from "../errors.ts";
import { type Shape, show } from "../shape.ts";
import { checkShapes } from "./check.ts";
import { checked, f32 } from "./checked.ts";
import type { F32 } from "./ops.ts";
import { perLane, perVector, runItems } from "./parts.ts";

export interface AdamWOptions {
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
  /** Counted from 1: corrects the moments' bias towards 0. */
  readonly step: number;
  /** A scalar on the device, such as {@link Norms.clip}. The gradient is multiplied by it. */
  readonly gradientScale?: F32;
  /** Trains only the elements `index, index + width, …`: one column of a matrix whose rows have `width` elements. */
  readonly column?: { readonly index: number; readonly width: number };
}

/** A parameter that an optimiser updates. */
export const trained: Kind = {
  ...f32,
  wanted: "an f32 tensor, because 16 bits are too coarse for small steps; train a copy made by `cast`",
};

/** The options that AdamW has in each of its forms. */
export const adamwFields: Signature = {
  learningRate: finite,
  beta1: finite,
  beta2: finite,
  epsilon: finite,
  weightDecay: finite,
  step: atLeast(1),
  gradientScale: optional(f32),
};

const column = options({ index: atLeast(0), width: atLeast(1) });

/**
 * One step of AdamW with decoupled weight decay (Loshchilov & Hutter 2019), in place on the parameter and both moments, which
 * start as zeros. All are f32 and of one shape.
 * @throws {ShapeError} when the shapes differ, the gradient's scale is not a scalar, or the parameter has no such column.
 */
export const adamwStep = checked(
  "adamwStep",
  {
    parameter: trained,
    gradient: f32,
    firstMoment: f32,
    secondMoment: f32,
    options: options({ ...adamwFields, column: optional(column) }),
  },
  <S extends Shape>(
    parameter: F32<S>,
    gradient: F32<S>,
    firstMoment: F32<S>,
    secondMoment: F32<S>,
    given: AdamWOptions,
  ): void => {
    const { gradientScale } = given;
    checkShapes("adamwStep", { gradient, firstMoment, secondMoment }, parameter.shape);
    checkGradientScale("adamwStep", gradientScale);
    const { index, width } = given.column ?? { index: 0, width: 1 };
    if (index >= width || parameter.size % width !== 0)
      throw new ShapeError(`adamwStep: column ${index} of rows of ${width} does not fit ${show(parameter.shape)}`);
    const rows = parameter.size / width;
    const rates = ratesOf(given);
    runItems(parameter.device, {
      kernel: "adamw",
      constants: { SCALED: gradientScale !== undefined, COLUMN: width > 1 },
      items: rows,
      workgroups: width > 1 ? perLane : perVector,
      split: {
        parameter: [parameter, width],
        gradient: [gradient, width],
        m: [firstMoment, width],
        v: [secondMoment, width],
      },
      // A binding must be given even where SCALED leaves it unread.
      whole: { gradient_scale: gradientScale ?? { tensor: gradient, offset: 0, size: 4 } },
      params: (count) => Object.assign({ count, start: index, stride: width }, rates),
    });
  },
);

/** What the kernels of AdamW compute with (`kernels/adamw.wgsl`). */
export function ratesOf({ learningRate, beta1, beta2, epsilon, weightDecay, step }: AdamWOptions) {
  return {
    beta1,
    gain1: 1 - beta1,
    beta2,
    gain2: 1 - beta2,
    decay: 1 - learningRate * weightDecay,
    rate: learningRate / (1 - beta1 ** step),
    root: 1 / Math.sqrt(1 - beta2 ** step),
    epsilon,
  };
}

export function checkGradientScale(operation: string, gradientScale: F32 | undefined): void {
  if (gradientScale && gradientScale.size !== 1)
    throw new ShapeError(`${operation}: gradientScale has shape ${show(gradientScale.shape)} and must be a scalar`);
}
