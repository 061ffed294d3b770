import { checkSameShape, type Shape } from "../shape.ts";
import { checkF32 } from "./check.ts";
import type { F32 } from "./ops.ts";
import { perVector, runItems } from "./parts.ts";

/** `silu(gate) · up` (Shazeer 2020), element by element. */
export function swiglu<S extends Shape>(gate: F32<S>, up: F32<S>): F32<S> {
  checkF32("swiglu", { gate, up });
  checkSameShape("swiglu", gate.shape, up.shape);
  const out = gate.device.empty(gate.shape, "f32", "swiglu");
  runItems(gate.device, {
    kernel: "swiglu",
    items: gate.size,
    workgroups: perVector,
    split: { gate: [gate, 1], up: [up, 1], out: [out, 1] },
    params: (count) => ({ count }),
  });
  return out;
}

/** Gradients of {@link swiglu} for both inputs. */
export function swigluBackward<S extends Shape>(
  gate: F32<S>,
  up: F32<S>,
  gradient: F32<S>,
): { gate: F32<S>; up: F32<S> } {
  checkF32("swigluBackward", { gate, up, gradient });
  checkSameShape("swigluBackward", gate.shape, up.shape);
  checkSameShape("swigluBackward", gate.shape, gradient.shape);
  const gateGradient = gate.device.empty(gate.shape, "f32", "swiglu gate gradient");
  const upGradient = gate.device.empty(gate.shape, "f32", "swiglu up gradient");
  runItems(gate.device, {
    kernel: "swiglu_backward",
    items: gate.size,
    workgroups: perVector,
    split: {
      gate: [gate, 1],
      up: [up, 1],
      gradient: [gradient, 1],
      gate_gradient: [gateGradient, 1],
      up_gradient: [upGradient, 1],
    },
    params: (count) => ({ count }),
  });
  return { gate: gateGradient, up: upGradient };
}
