import { atLeast } from "../arguments.ts";
import { ShapeError } from "../errors.ts";
import { show } from "../shape.ts";
import { asRows } from "./check.ts";
import { checked, f32 } from "./checked.ts";
import type { Ops } from "./ops.ts";
import { runRows } from "./parts.ts";

/** {@inheritDoc Ops.argmax} @function */
export const argmax: Ops["argmax"] = checked("argmax", { x: f32 }, (x) => {
  const { rows, width } = asRows("argmax", x.shape);
  const out = x.device.empty(x.shape.slice(0, -1), "u32", "argmax");
  runRows(x.device, { kernel: "argmax", rows, width, split: { x: [x, width], out: [out, 1] } });
  return out as never;
});

/** {@inheritDoc Ops.topK} @function */
export const topK: Ops["topK"] = checked("topK", { x: f32, k: atLeast(1) }, (x, k) => {
  const { rows, width } = asRows("topK", x.shape);
  if (k > width) throw new ShapeError(`topK: k is ${k}; ${show(x.shape)} has rows of ${width} elements`);
  const shape = [...x.shape.slice(0, -1), k];
  const values = x.device.empty(shape, "f32", "topK values");
  const indices = x.device.empty(shape, "u32", "topK indices");
  runRows(x.device, {
    kernel: "top_k",
    rows,
    width,
    constants: { PARTS: x.device.capabilities.software ? 32 : 1 },
    split: { x: [x, width], values: [values, k], indices: [indices, k] },
    params: { k },
  });
  return { values, indices };
});
