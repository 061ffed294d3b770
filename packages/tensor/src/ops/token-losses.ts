import { ShapeError } from "../errors.ts";
import { type Shape, show } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { asRows, checkDType, checkF32, checkShapeIs } from "./check.ts";
import type { F32, Reduction } from "./ops.ts";
import { sum } from "./reduce.ts";
import { planRows } from "./row-plan.ts";

/** What the losses over tokens share: how they are summed up, and what that makes each token weigh in the gradient. */

/** Rows and width of `logits […, V]`, checked against `labels […]`. */
export function checkTokens(operation: string, logits: F32, labels: Tensor) {
  checkF32(operation, { logits });
  checkDType(operation, "labels", labels, "i32");
  const matrix = asRows(operation, logits.shape);
  checkShapeIs(operation, "labels", labels, logits.shape.slice(0, -1));
  return matrix;
}

/** Sums per-token losses up; tokens of label −100 have a loss of 0 and do not count. */
export function reduceLosses(operation: string, losses: F32, labels: Tensor, reduction: Reduction): F32 {
  if (reduction === "none") return losses;
  if (reduction === "sequence") return sum(losses, { axis: sequenceAxis(operation, labels.shape) });
  const { device } = losses;
  const out = device.empty([], "f32", operation);
  device.dispatch({
    kernel: "mean_counted",
    constants: { LANES: planRows(device.capabilities, losses.size).LANES },
    bindings: { losses, labels, out },
    params: { count: losses.size },
    workgroups: [1, 1, 1],
  });
  return out;
}

/** What each token's own loss weighs, given the gradient of the reduced loss: in the shape of the labels. */
export function tokenWeights(operation: string, labels: Tensor, gradient: F32, reduction: Reduction): F32 {
  const { device, shape } = labels;
  const axis = reduction === "sequence" ? sequenceAxis(operation, shape) : 0;
  const reduced = { none: shape, sequence: shape.slice(0, -1), mean: [] }[reduction];
  checkF32(operation, { gradient });
  checkShapeIs(operation, "gradient", gradient, reduced);
  const out = device.empty(shape, "f32", `${operation} weights`);
  const span = { none: 1, sequence: shape[axis] ?? 1, mean: Math.max(labels.size, 1) }[reduction];
  device.dispatch({
    kernel: "token_weights",
    constants: { LANES: planRows(device.capabilities, labels.size).LANES, MEAN: reduction === "mean" },
    bindings: { labels, gradient, out },
    params: { count: labels.size, span },
    workgroups: [1, 1, 1],
  });
  return out;
}

function sequenceAxis(operation: string, shape: Shape): number {
  if (shape.length === 0)
    throw new ShapeError(`${operation}: labels ${show(shape)} have no axis to sum a sequence over`);
  return shape.length - 1;
}
