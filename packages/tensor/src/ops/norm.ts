import { finite, optional, options, orNull } from "../arguments.ts";
import { floatCode } from "../dtype.ts";
import type { Shape } from "../shape.ts";
import type { Binding } from "../tensor.ts";
import { asRows, checkShapes } from "./check.ts";
import { anyFloat, checked, f32 } from "./checked.ts";
import type { F32, Ops, Weight } from "./ops.ts";
import { runItems, runRows } from "./parts.ts";
import { reduceMiddle } from "./reduce.ts";
import { wideOf } from "./row-plan.ts";

const epsOption = options({ eps: finite });
const backwardOptions = options({ eps: finite, add: optional(f32), into: optional(f32) });

/** {@inheritDoc DifferentiableOps.rmsNorm} @function */
export const rmsNorm: Ops["rmsNorm"] = checked(
  "rmsNorm",
  { x: f32, weight: orNull(anyFloat), options: epsOption },
  (x, weight, { eps }) => normalize("rmsNorm", x, weight, null, eps),
);

/** {@inheritDoc DifferentiableOps.layerNorm} @function */
export const layerNorm: Ops["layerNorm"] = checked(
  "layerNorm",
  { x: f32, weight: orNull(anyFloat), bias: orNull(anyFloat), options: epsOption },
  (x, weight, bias, { eps }) => normalize("layerNorm", x, weight, bias, eps),
);

/** {@inheritDoc BackwardOps.rmsNormBackward} @function */
export const rmsNormBackward: Ops["rmsNormBackward"] = checked(
  "rmsNormBackward",
  { x: f32, weight: orNull(anyFloat), gradient: f32, options: backwardOptions },
  (x, weight, gradient, options) => backward("rmsNorm", x, weight, gradient, options),
);

/** {@inheritDoc BackwardOps.layerNormBackward} @function */
export const layerNormBackward: Ops["layerNormBackward"] = checked(
  "layerNormBackward",
  { x: f32, weight: orNull(anyFloat), bias: orNull(anyFloat), gradient: f32, options: backwardOptions },
  (x, weight, bias, gradient, options) => {
    const { rows, width } = asRows("layerNorm", x.shape);
    const gradients = backward("layerNorm", x, weight, gradient, options);
    return { ...gradients, bias: bias && reduceMiddle("sum", gradient, { outer: 1, n: rows, inner: width }, [width]) };
  },
);

type Norm = "rmsNorm" | "layerNorm";

const noDType = 3;

function normalize<S extends Shape>(norm: Norm, x: F32<S>, weight: Weight | null, bias: Weight | null, eps: number) {
  const { rows, width } = checkNorm(norm, x, weight, bias);
  const out = x.device.empty(x.shape, "f32", norm);
  runRows(x.device, {
    kernel: "norm",
    constants: {
      CENTERED: norm === "layerNorm",
      WEIGHT_DTYPE: weight ? floatCode(weight.dtype) : noDType,
      BIAS_DTYPE: bias ? floatCode(bias.dtype) : noDType,
    },
    rows,
    width,
    split: { x: [x, width], out: [out, width] },
    whole: { weight: weight ?? placeholder(x), bias: bias ?? placeholder(x) },
    params: { eps },
  });
  return out;
}

function backward(
  norm: Norm,
  x: F32,
  weight: Weight | null,
  gradient: F32,
  { eps, add, into }: { readonly eps: number; readonly add?: F32 | undefined; readonly into?: F32 | undefined },
) {
  const { rows, width } = checkNorm(norm, x, weight, null);
  checkShapes(`${norm}Backward`, { gradient }, x.shape);
  const added = add && (add.size === x.size ? add.reshape(x.shape) : add);
  if (added) checkShapes(`${norm}Backward`, { add: added }, x.shape);
  const { device } = x;
  using scope = device.scope(`${norm}Backward`);
  const xGradient = scope.keep(device.empty(x.shape, "f32", `${norm} gradient`));
  const statistics = device.empty([rows, 4], "f32", `${norm} statistics`);
  runRows(device, {
    kernel: "norm_backward",
    constants: {
      CENTERED: norm === "layerNorm",
      WEIGHT_DTYPE: weight ? floatCode(weight.dtype) : noDType,
      ...(added && { ADD: true }),
    },
    rows,
    width,
    split: {
      ...{ x: [x, width], gradient: [gradient, width], x_gradient: [xGradient, width], statistics: [statistics, 4] },
      ...(added && { addend: [added, width] }),
    },
    whole: { weight: weight ?? placeholder(x), ...(!added && { addend: placeholder(x) }) },
    params: { eps },
  });
  if (!weight) return { x: xGradient, weight: null };
  if (into) checkShapes(`${norm}Backward`, { into }, weight.shape);
  const weightGradient = into ?? scope.keep(device.empty([width], "f32", `${norm} weight gradient`));
  // Blocks of a multiple of 64 rows begin at aligned bytes, so that each can be bound by itself.
  const blockRows = Math.ceil(Math.sqrt(rows) / 64) * 64;
  const WIDE = wideOf(width);
  const [COLUMNS, SHARES] = device.capabilities.software ? [8, 8] : [16, 16];
  runItems(device, {
    kernel: "norm_weight_backward",
    constants: { COLUMNS, SHARES, WIDE },
    items: Math.ceil(rows / blockRows),
    workgroups: () => Math.ceil(width / WIDE / COLUMNS),
    split: {
      x: [x, blockRows * width],
      gradient: [gradient, blockRows * width],
      statistics: [statistics, blockRows * 4],
    },
    whole: { out: weightGradient },
    params: (blocks, start) => ({
      ...{ rows: Math.min(blocks * blockRows, rows - start * blockRows), width },
      ...{ blocks, block_rows: blockRows, accumulate: into || start > 0 ? 1 : 0 },
    }),
  });
  return { x: xGradient, weight: into ? null : weightGradient };
}

/** Every binding of a kernel must be given, even one that its constants leave unread. */
function placeholder(x: F32): Binding {
  return { tensor: x, offset: 0, size: 4 };
}

function checkNorm(norm: Norm, x: F32, weight: Weight | null, bias: Weight | null) {
  const matrix = asRows(norm, x.shape);
  if (weight) checkShapes(norm, { weight }, [matrix.width]);
  if (bias) checkShapes(norm, { bias }, [matrix.width]);
  return matrix;
}
