import { floatCode } from "../dtype.ts";
import type { Binding } from "../gpu/device.ts";
import type { Shape } from "../shape.ts";
import { checkSameShape } from "../shape.ts";
import { asRows, checkDType, checkF32, checkShapeIs } from "./check.ts";
import type { F32, Weight } from "./ops.ts";
import { perLane, runItems } from "./parts.ts";
import { reduceMiddle } from "./reduce.ts";
import { planRows } from "./row-plan.ts";

/** `x / √(mean(x²) + eps) · weight` over the last axis (Zhang & Sennrich 2019); without a weight when it is null. */
export function rmsNorm<S extends Shape>(x: F32<S>, weight: Weight | null, options: { readonly eps: number }): F32<S> {
  return normalize("rmsNorm", x, weight, null, options.eps);
}

/** `(x − mean) / √(var + eps) · weight + bias` over the last axis (Ba et al. 2016); either parameter may be null. */
export function layerNorm<S extends Shape>(
  x: F32<S>,
  weight: Weight | null,
  bias: Weight | null,
  options: { readonly eps: number },
): F32<S> {
  return normalize("layerNorm", x, weight, bias, options.eps);
}

/** Gradients of {@link rmsNorm}. The weight's is f32 and summed over rows in a fixed order. */
export function rmsNormBackward<S extends Shape>(
  x: F32<S>,
  weight: Weight | null,
  gradient: F32<S>,
  options: { readonly eps: number },
): { x: F32<S>; weight: F32 | null } {
  return backward("rmsNorm", x, weight, gradient, options.eps);
}

/** Gradients of {@link layerNorm}. Those of the parameters are f32 and summed over rows in a fixed order. */
export function layerNormBackward<S extends Shape>(
  x: F32<S>,
  weight: Weight | null,
  bias: Weight | null,
  gradient: F32<S>,
  options: { readonly eps: number },
): { x: F32<S>; weight: F32 | null; bias: F32 | null } {
  const { rows, width } = asRows("layerNorm", x.shape);
  const gradients = backward("layerNorm", x, weight, gradient, options.eps);
  return { ...gradients, bias: bias && reduceMiddle("sum", gradient, { outer: 1, n: rows, inner: width }, [width]) };
}

type Norm = "rmsNorm" | "layerNorm";

const noDType = 3;

function normalize<S extends Shape>(norm: Norm, x: F32<S>, weight: Weight | null, bias: Weight | null, eps: number) {
  const { rows, width } = checkNorm(norm, x, weight, bias);
  const out = x.device.empty(x.shape, "f32", norm);
  const plan = planRows(x.device.capabilities, width);
  runItems(x.device, {
    kernel: "norm",
    constants: {
      ...plan,
      CENTERED: norm === "layerNorm",
      WEIGHT_DTYPE: weight ? floatCode(weight.dtype) : noDType,
      BIAS_DTYPE: bias ? floatCode(bias.dtype) : noDType,
    },
    items: rows,
    workgroups: (count) => Math.ceil(count / plan.ROWS),
    split: { x: [x, width], out: [out, width] },
    whole: { weight: weight ?? placeholder(x), bias: bias ?? placeholder(x) },
    params: (count) => ({ rows: count, width, eps }),
  });
  return out;
}

function backward<S extends Shape>(norm: Norm, x: F32<S>, weight: Weight | null, gradient: F32<S>, eps: number) {
  const { rows, width } = checkNorm(norm, x, weight, null);
  checkF32(`${norm}Backward`, { gradient });
  checkSameShape(`${norm}Backward`, x.shape, gradient.shape);
  const { device } = x;
  using scope = device.scope(`${norm}Backward`);
  const xGradient = scope.keep(device.empty(x.shape, "f32", `${norm} gradient`));
  const statistics = device.empty([rows, 2], "f32", `${norm} statistics`);
  const plan = planRows(device.capabilities, width);
  runItems(device, {
    kernel: "norm_backward",
    constants: {
      ...plan,
      CENTERED: norm === "layerNorm",
      WEIGHT_DTYPE: weight ? floatCode(weight.dtype) : noDType,
    },
    items: rows,
    workgroups: (count) => Math.ceil(count / plan.ROWS),
    split: { x: [x, width], gradient: [gradient, width], x_gradient: [xGradient, width], statistics: [statistics, 2] },
    whole: { weight: weight ?? placeholder(x) },
    params: (count) => ({ rows: count, width, eps }),
  });
  if (!weight) return { x: xGradient, weight: null };
  // Whole multiples of 64 rows begin at aligned bytes, so that blocks can be bound apart.
  const blockRows = Math.ceil(Math.sqrt(rows) / 64) * 64;
  const blocks = Math.ceil(rows / blockRows);
  const sums = device.empty([blocks, width], "f32", `${norm} weight gradient`);
  runItems(device, {
    kernel: "norm_weight_backward",
    items: blocks,
    workgroups: (count) => perLane(count * width),
    split: {
      x: [x, blockRows * width],
      gradient: [gradient, blockRows * width],
      statistics: [statistics, blockRows * 2],
    },
    whole: { out: sums },
    params: (count, start) => ({
      rows: Math.min(count * blockRows, rows - start * blockRows),
      width,
      blocks: count,
      block_rows: blockRows,
      start: start * width,
    }),
  });
  const weightGradient = reduceMiddle("sum", sums, { outer: 1, n: blocks, inner: width }, [width]);
  return { x: xGradient, weight: scope.keep(weightGradient) };
}

/** A binding must be bound even where a kernel's constants say that it is not read. */
function placeholder(x: F32): Binding {
  return { tensor: x, offset: 0, size: 4 };
}

function checkNorm(norm: Norm, x: F32, weight: Weight | null, bias: Weight | null) {
  checkF32(norm, { x });
  const matrix = asRows(norm, x.shape);
  for (const [role, parameter] of Object.entries({ weight, bias })) {
    if (!parameter) continue;
    checkDType(norm, role, parameter, "f32", "f16", "bf16");
    checkShapeIs(norm, role, parameter, [matrix.width]);
  }
  return matrix;
}
