import { oneOf, options } from "../arguments.ts";
import { asRows, checkShapes } from "./check.ts";
import { checked, f32 } from "./checked.ts";
import type { F32, Ops } from "./ops.ts";
import { perTurns, planTurns, runItems } from "./parts.ts";
import { sum } from "./reduce.ts";
import { planRows, wideOf } from "./row-plan.ts";

/** Elements of one row, in the first pass of the mean over everything. */
const blockElements = 4096;

const reductionOption = options({ reduction: oneOf(["rows", "mean"]) });

/** {@inheritDoc DifferentiableOps.mse} @function */
export const mse: Ops["mse"] = checked("mse", { a: f32, b: f32, options: reductionOption }, (a, b, { reduction }) => {
  const { width } = checkPair("mse", a, b);
  if (reduction === "rows") return squaredDifferences(a, b, width, a.shape.slice(0, -1), 1 / width);
  return a.device.scoped("mse", () => {
    const blocks = Math.ceil(a.size / blockElements);
    return sum(squaredDifferences(a, b, blockElements, [blocks], 1 / a.size));
  });
});

/** {@inheritDoc BackwardOps.mseBackward} @function */
export const mseBackward: Ops["mseBackward"] = checked(
  "mseBackward",
  { a: f32, b: f32, gradient: f32, options: reductionOption },
  (a, b, gradient, { reduction }) => {
    const { width: last } = checkPair("mseBackward", a, b);
    const rowwise = reduction === "rows";
    checkShapes("mseBackward", { gradient }, rowwise ? a.shape.slice(0, -1) : []);
    const out = a.device.empty(a.shape, "f32", "mse gradient");
    const width = rowwise ? last : a.size;
    const WIDE = wideOf(width);
    const TURNS = planTurns(a.device.capabilities);
    runItems(a.device, {
      kernel: "mse_backward",
      constants: { WIDE, TURNS },
      items: a.size / last,
      workgroups: (count) => perTurns((count * last) / WIDE, TURNS),
      split: { a: [a, last], b: [b, last], out: [out, last], ...(rowwise && { gradient: [gradient, 1] }) },
      whole: rowwise ? {} : { gradient },
      params: (count) => ({ count: count * last, width, scale: 2 / width }),
    });
    return out;
  },
);

function squaredDifferences(a: F32, b: F32, width: number, shape: readonly number[], scale: number): F32 {
  const out = a.device.empty(shape, "f32", "mse");
  const plan = planRows(a.device.capabilities, width, out.size);
  runItems(a.device, {
    kernel: "mse",
    constants: { ...plan, WIDE: wideOf(width, a.size) },
    items: out.size,
    workgroups: (count) => Math.ceil(count / plan.ROWS),
    split: { a: [a, width], b: [b, width] },
    whole: { out },
    params: (rows, start) => ({ rows, width, count: Math.min(rows * width, a.size - start * width), start, scale }),
  });
  return out;
}

function checkPair(operation: string, a: F32, b: F32) {
  checkShapes(operation, { b }, a.shape);
  return asRows(operation, a.shape);
}
