import { oneOf, options } from "../arguments.ts";
import { ShapeError } from "../errors.ts";
import { type Shape, show } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { asRows, checkShapes } from "./check.ts";
import { type F32, type Reduction, reductions } from "./ops.ts";
import { runRows } from "./parts.ts";
import { sum } from "./reduce.ts";
import { planRows } from "./row-plan.ts";

export const reductionOption = options({ reduction: oneOf(reductions) });

/** The arguments of a loss of each row of `logits […, V]`. */
export interface TokenLoss {
  readonly operation: string;
  readonly logits: F32;
  readonly labels: Tensor<Shape, "i32">;
  /** Logits to compare `logits` with. Without them, `logits` are compared with the labels. */
  readonly reference?: F32;
  readonly reduction: Reduction;
}

/** Computes a loss over tokens. Tokens of label −100 have a loss of 0 and do not count. */
export function tokenLoss(loss: TokenLoss): F32 {
  const { operation, logits, labels, reference, reduction } = loss;
  const { rows, width } = checkTokens(loss);
  const { device } = logits;
  return device.scoped(operation, () => {
    const out = device.empty(labels.shape, "f32", operation);
    runRows(device, {
      kernel: reference ? "kl_divergence" : "cross_entropy",
      rows,
      width,
      split: {
        logits: [logits, width],
        labels: [labels, 1],
        out: [out, 1],
        ...(reference && { reference: [reference, width] }),
      },
    });
    return reduceLosses(operation, out, labels, reduction);
  });
}

/** Gradient of {@link tokenLoss} for the logits, from that of the reduced loss. */
export function tokenLossBackward(loss: TokenLoss, gradient: F32): F32 {
  const { operation, logits, labels, reference, reduction } = loss;
  const { rows, width } = checkTokens(loss);
  const { device } = logits;
  return device.scoped(operation, () => {
    const weights = tokenWeights(operation, labels, gradient, reduction);
    const out = device.empty(logits.shape, "f32", `${operation} of logits`);
    runRows(device, {
      kernel: "token_loss_backward",
      constants: { REFERENCE: reference !== undefined },
      rows,
      width,
      split: {
        logits: [logits, width],
        wanted: reference ? [reference, width] : [labels, 1],
        weights: [weights, 1],
        out: [out, width],
      },
    });
    return out;
  });
}

function checkTokens({ operation, logits, labels, reference }: TokenLoss) {
  if (reference) checkShapes(operation, { reference }, logits.shape);
  const matrix = asRows(operation, logits.shape);
  checkShapes(operation, { labels }, logits.shape.slice(0, -1));
  return matrix;
}

/** A loss of each token, reduced. */
export function reduceLosses(operation: string, losses: F32, labels: Tensor, reduction: Reduction): F32 {
  if (reduction === "none") return losses;
  if (reduction === "sequence") return sum(losses, { axis: sequenceAxis(operation, labels.shape) });
  const { device } = losses;
  const out = device.empty([], "f32", operation);
  device.dispatch({
    kernel: "mean_counted",
    constants: { LANES: planRows(device.capabilities, losses.size, 1).LANES },
    bindings: { losses, labels, out },
    params: { count: losses.size },
    workgroups: [1, 1, 1],
  });
  return out;
}

/** The gradient of each token's own loss, in the shape of the labels, from that of the reduced loss. */
export function tokenWeights(operation: string, labels: Tensor, gradient: F32, reduction: Reduction): F32 {
  const { device, shape } = labels;
  const axis = reduction === "sequence" ? sequenceAxis(operation, shape) : 0;
  const reduced = { none: shape, sequence: shape.slice(0, -1), mean: [] }[reduction];
  checkShapes(operation, { gradient }, reduced);
  const out = device.empty(shape, "f32", `${operation} weights`);
  const span = { none: 1, sequence: shape[axis] ?? 1, mean: Math.max(labels.size, 1) }[reduction];
  device.dispatch({
    kernel: "token_weights",
    constants: { LANES: planRows(device.capabilities, labels.size, 1).LANES, MEAN: reduction === "mean" },
    bindings: { labels, gradient, out },
    params: { count: labels.size, span },
    workgroups: [1, 1, 1],
  });
  return out;
}

function sequenceAxis(operation: string, shape: Shape): number {
  if (shape.length === 0) throw new ShapeError(`${operation}: labels ${show(shape)} have no axis to sum over`);
  return shape.length - 1;
}
