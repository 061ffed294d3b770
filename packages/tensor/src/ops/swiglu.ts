import { checkShapes } from "./check.ts";
import { checked, f32 } from "./checked.ts";
import type { Ops } from "./ops.ts";
import { runElements } from "./parts.ts";

/** {@inheritDoc DifferentiableOps.swiglu} @function */
export const swiglu: Ops["swiglu"] = checked("swiglu", { gate: f32, up: f32 }, (gate, up) => {
  checkShapes("swiglu", { up }, gate.shape);
  const out = gate.device.empty(gate.shape, "f32", "swiglu");
  runElements("swiglu", { gate, up, out });
  return out;
});

/** {@inheritDoc BackwardOps.swigluBackward} @function */
export const swigluBackward: Ops["swigluBackward"] = checked(
  "swigluBackward",
  { gate: f32, up: f32, gradient: f32 },
  (gate, up, gradient) => {
    checkShapes("swigluBackward", { up, gradient }, gate.shape);
    const gate_gradient = gate.device.empty(gate.shape, "f32", "swiglu gate gradient");
    const up_gradient = gate.device.empty(gate.shape, "f32", "swiglu up gradient");
    runElements("swiglu_backward", { gate, up, gradient, gate_gradient, up_gradient });
    return { gate: gate_gradient, up: up_gradient };
  },
);
