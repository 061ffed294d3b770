import { checkSameShape, type Shape } from "../shape.ts";
import { asRows, checkF32 } from "./check.ts";
import type { F32 } from "./ops.ts";
import { runItems } from "./parts.ts";
import { planRows } from "./row-plan.ts";

/** Softmax over the last axis. A row needs one finite element. */
export function softmax<S extends Shape>(x: F32<S>): F32<S> {
  return forward("softmax", x);
}

/** Logarithm of the softmax over the last axis. A row needs one finite element. */
export function logSoftmax<S extends Shape>(x: F32<S>): F32<S> {
  return forward("logSoftmax", x);
}

/** Gradient of {@link softmax}, from what it gave. */
export function softmaxBackward<S extends Shape>(output: F32<S>, gradient: F32<S>): F32<S> {
  return backward("softmax", output, gradient);
}

/** Gradient of {@link logSoftmax}, from what it gave. */
export function logSoftmaxBackward<S extends Shape>(output: F32<S>, gradient: F32<S>): F32<S> {
  return backward("logSoftmax", output, gradient);
}

type Kind = "softmax" | "logSoftmax";

function forward<S extends Shape>(kind: Kind, x: F32<S>): F32<S> {
  checkF32(kind, { x });
  const { rows, width } = asRows(kind, x.shape);
  const out = x.device.empty(x.shape, "f32", kind);
  const plan = planRows(x.device.capabilities, width);
  runItems(x.device, {
    kernel: "softmax",
    constants: { ...plan, LOG: kind === "logSoftmax" },
    items: rows,
    workgroups: (count) => Math.ceil(count / plan.ROWS),
    split: { x: [x, width], out: [out, width] },
    params: (count) => ({ rows: count, width }),
  });
  return out;
}

function backward<S extends Shape>(kind: Kind, y: F32<S>, gradient: F32<S>): F32<S> {
  checkF32(`${kind}Backward`, { output: y, gradient });
  checkSameShape(`${kind}Backward`, y.shape, gradient.shape);
  const { rows, width } = asRows(kind, y.shape);
  const out = y.device.empty(y.shape, "f32", `${kind} gradient`);
  const plan = planRows(y.device.capabilities, width);
  runItems(y.device, {
    kernel: "softmax_backward",
    constants: { ...plan, LOG: kind === "logSoftmax" },
    items: rows,
    workgroups: (count) => Math.ceil(count / plan.ROWS),
    split: { y: [y, width], gradient: [gradient, width], out: [out, width] },
    params: (count) => ({ rows: count, width }),
  });
  return out;
}
