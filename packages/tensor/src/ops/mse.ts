import { checkSameShape, type SameShape, type Shape } from "../shape.ts";
import { asRows, checkF32, checkShapeIs } from "./check.ts";
import type { F32 } from "./ops.ts";
import { perLane, runItems } from "./parts.ts";
import { sum } from "./reduce.ts";
import { planRows } from "./row-plan.ts";

/** Elements whose squared differences one row of the mean over everything takes. */
const blockElements = 4096;

/** Mean of `(a − b)²` over the last axis (`rows`), or over everything (`mean`), giving a scalar. */
export function mse<A extends Shape, B extends Shape>(
  a: F32<A>,
  b: F32<B> & SameShape<A, B>,
  { reduction }: { readonly reduction: "rows" | "mean" },
): F32 {
  const { width } = checkPair("mse", a, b);
  if (reduction === "rows") return squaredDifferences(a, b, width, a.shape.slice(0, -1), 1 / width);
  return a.device.scoped("mse", () => {
    const blocks = Math.ceil(a.size / blockElements);
    return sum(squaredDifferences(a, b, blockElements, [blocks], 1 / a.size));
  });
}

/** Gradient of {@link mse} for a; that for b is its negative. `gradient` has the shape of the loss. */
export function mseBackward<S extends Shape>(
  a: F32<S>,
  b: F32,
  gradient: F32,
  { reduction }: { readonly reduction: "rows" | "mean" },
): F32<S> {
  const { width: last } = checkPair("mseBackward", a, b);
  checkF32("mseBackward", { gradient });
  checkShapeIs("mseBackward", "gradient", gradient, reduction === "rows" ? a.shape.slice(0, -1) : []);
  const out = a.device.empty(a.shape, "f32", "mse gradient");
  const rowwise = reduction === "rows";
  const width = rowwise ? last : a.size;
  runItems(a.device, {
    kernel: "mse_backward",
    items: a.size / last,
    workgroups: (count) => perLane(count * last),
    split: { a: [a, last], b: [b, last], out: [out, last], ...(rowwise && { gradient: [gradient, 1] }) },
    whole: rowwise ? {} : { gradient },
    params: (count) => ({ count: count * last, width, scale: 2 / width }),
  });
  return out;
}

function squaredDifferences<S extends Shape>(a: F32, b: F32, width: number, shape: S, scale: number): F32<S> {
  const out = a.device.empty(shape, "f32", "mse");
  const plan = planRows(a.device.capabilities, width);
  runItems(a.device, {
    kernel: "mse",
    constants: { ...plan },
    items: out.size,
    workgroups: (count) => Math.ceil(count / plan.ROWS),
    split: { a: [a, width], b: [b, width] },
    whole: { out },
    params: (rows, start) => ({ rows, width, count: Math.min(rows * width, a.size - start * width), start, scale }),
  });
  return out;
}

function checkPair(operation: string, a: F32, b: F32) {
  checkF32(operation, { a, b });
  checkSameShape(operation, a.shape, b.shape);
  return asRows(operation, a.shape);
}
