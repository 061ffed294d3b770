import type { Shape } from "../shape.ts";
import { asRows, checkShapes } from "./check.ts";
import { checked, f32 } from "./checked.ts";
import type { F32, Ops } from "./ops.ts";
import { runRows } from "./parts.ts";

/** {@inheritDoc DifferentiableOps.softmax} @function */
export const softmax: Ops["softmax"] = checked("softmax", { x: f32 }, (x) => forward("softmax", x));

/** {@inheritDoc DifferentiableOps.logSoftmax} @function */
export const logSoftmax: Ops["logSoftmax"] = checked("logSoftmax", { x: f32 }, (x) => forward("logSoftmax", x));

/** {@inheritDoc BackwardOps.softmaxBackward} @function */
export const softmaxBackward: Ops["softmaxBackward"] = checked(
  "softmaxBackward",
  { output: f32, gradient: f32 },
  (output, gradient) => backward("softmax", output, gradient),
);

/** {@inheritDoc BackwardOps.logSoftmaxBackward} @function */
export const logSoftmaxBackward: Ops["logSoftmaxBackward"] = checked(
  "logSoftmaxBackward",
  { output: f32, gradient: f32 },
  (output, gradient) => backward("logSoftmax", output, gradient),
);

type Kind = "softmax" | "logSoftmax";

function forward<S extends Shape>(kind: Kind, x: F32<S>): F32<S> {
  const { rows, width } = asRows(kind, x.shape);
  const out = x.device.empty(x.shape, "f32", kind);
  runRows(x.device, {
    kernel: "softmax",
    constants: { LOG: kind === "logSoftmax" },
    rows,
    width,
    split: { x: [x, width], out: [out, width] },
  });
  return out;
}

function backward(kind: Kind, y: F32, gradient: F32): F32 {
  checkShapes(`${kind}Backward`, { gradient }, y.shape);
  const { rows, width } = asRows(kind, y.shape);
  const out = y.device.empty(y.shape, "f32", `${kind} gradient`);
  runRows(y.device, {
    kernel: "softmax_backward",
    constants: { LOG: kind === "logSoftmax" },
    rows,
    width,
    split: { y: [y, width], gradient: [gradient, width], out: [out, width] },
  });
  return out;
}
