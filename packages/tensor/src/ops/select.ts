import { ShapeError } from "../errors.ts";
import type { Leading } from "../shape.ts";
import { type Shape, show } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { asRows, checkF32 } from "./check.ts";
import type { F32 } from "./ops.ts";
import { runItems } from "./parts.ts";
import { planRows } from "./row-plan.ts";

/**
 * Index of the largest element over the last axis, which is dropped. The lowest index among equals; NaN counts as the largest,
 * as in NumPy and PyTorch, so that a row with NaN in it points at the fault.
 */
export function argmax<S extends Shape>(x: F32<S>): Tensor<Leading<S>, "u32"> {
  checkF32("argmax", { x });
  const { rows, width } = asRows("argmax", x.shape);
  const out = x.device.empty(x.shape.slice(0, -1) as unknown as Leading<S>, "u32", "argmax");
  const plan = planRows(x.device.capabilities, width);
  runItems(x.device, {
    kernel: "argmax",
    constants: { ...plan },
    items: rows,
    workgroups: (count) => Math.ceil(count / plan.ROWS),
    split: { x: [x, width], out: [out, 1] },
    params: (count) => ({ rows: count, width }),
  });
  return out;
}

/**
 * The k largest elements over the last axis, largest first, with their indices: both `[…, k]`. The lower index comes first among
 * equals; NaN counts as the largest. Time grows with k · width: meant for a few of many.
 */
export function topK(x: F32, k: number): { values: F32; indices: Tensor<Shape, "u32"> } {
  checkF32("topK", { x });
  const { rows, width } = asRows("topK", x.shape);
  if (!Number.isInteger(k) || k < 1 || k > width)
    throw new ShapeError(`topK: k is ${k}; ${show(x.shape)} has rows of ${width} elements`);
  const shape = [...x.shape.slice(0, -1), k];
  const values = x.device.empty(shape, "f32", "topK values");
  const indices = x.device.empty(shape, "u32", "topK indices");
  const plan = planRows(x.device.capabilities, width);
  runItems(x.device, {
    kernel: "top_k",
    constants: { ...plan },
    items: rows,
    workgroups: (count) => Math.ceil(count / plan.ROWS),
    split: { x: [x, width], values: [values, k], indices: [indices, k] },
    params: (count) => ({ rows: count, width, k }),
  });
  return { values, indices };
}
