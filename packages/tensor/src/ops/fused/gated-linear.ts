import { ShapeError } from "../../errors.ts";
import { show, sizeOf } from "../../shape.ts";
import { linear } from "../matmul.ts";
import type { F32, Weight } from "../ops.ts";
import { perLane, runItems } from "../parts.ts";
import { linearFew } from "./few-rows.ts";
import type { FusedOps, NormFirst } from "./fused-ops.ts";
import { jointWeight, normalized } from "./joint.ts";
import { linearSeveral } from "./several-rows.ts";

/** {@inheritDoc FusedOps.gatedLinear} */
export const gatedLinear: FusedOps["gatedLinear"] = (x, normWeight, gate, up, { norm }) =>
  x.device.scoped("gatedLinear", () => {
    const weight = jointOf(gate, up);
    const around = { norm, normWeight, gated: true };
    const few = linearFew(x, weight, around) ?? linearSeveral(x, weight, around);
    return few ?? activated(jointProduct(x, normWeight, weight, norm).joint, x);
  });

/** {@inheritDoc FusedOps.gatedLinearForward} */
export const gatedLinearForward: FusedOps["gatedLinearForward"] = (x, normWeight, gate, up, { norm }) => {
  const { input, joint } = jointProduct(x, normWeight, jointOf(gate, up), norm);
  return { output: activated(joint, x), input, joint };
};

/** {@inheritDoc FusedOps.gatedLinearBackward} */
export const gatedLinearBackward: FusedOps["gatedLinearBackward"] = (joint, gradient) => {
  const [rows = 0, width = 0] = joint.shape;
  const out = joint.device.empty(joint.shape, "f32", "gated linear gradient");
  runItems(joint.device, {
    kernel: "swiglu_joint_backward",
    items: rows,
    workgroups: (count) => perLane((count * width) / 8),
    split: { joint: [joint, width], gradient: [gradient, width / 2], out: [out, width] },
    params: (count) => ({ rows: count, vectors: width / 8 }),
  });
  return out;
};

function jointOf(gate: Weight, up: Weight): Weight {
  if (gate.shape[0]! % 4 !== 0)
    throw new ShapeError(`gatedLinear: gate is ${show(gate.shape)}; expected a multiple of four rows`);
  return jointWeight("gatedLinear", [gate, up]);
}

/** Gate and up side by side, `[rows, 2 n]`, and what both were computed from. */
function jointProduct(x: F32, normWeight: Weight | null, weight: Weight, norm: NormFirst | undefined) {
  const input = normalized(x, normWeight, norm);
  const k = x.shape.at(-1)!;
  return { input, joint: linear(input.reshape([x.size / k, k]), weight as never) as F32 };
}

/** `silu(gate) · up`, in the shape of x but for the last axis. */
function activated(joint: F32, x: F32): F32 {
  const n = joint.shape[1]! / 2;
  const shape = [...x.shape.slice(0, -1), n];
  const out = joint.device.empty(shape, "f32", "gated linear");
  runItems(joint.device, {
    kernel: "swiglu_joint",
    items: sizeOf(shape) / n,
    workgroups: (count) => perLane((count * n) / 4),
    split: { joint: [joint, 2 * n], out: [out, n] },
    params: (count) => ({ rows: count, vectors: n / 4 }),
  });
  return out;
}
