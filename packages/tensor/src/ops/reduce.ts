import { atLeast, flag, optional, options, shapeKind, wholeNumber } from "../arguments.ts";
import { ShapeError } from "../errors.ts";
import { type Shape, show, sizeOf } from "../shape.ts";
import { checkShapes, resolveAxis } from "./check.ts";
import { checked, f32 } from "./checked.ts";
import { copyStrided } from "./copy-strided.ts";
import type { F32, Ops } from "./ops.ts";
import { perLane, runItems } from "./parts.ts";
import { planRows, wideOf } from "./row-plan.ts";

const axisOptions = options({ axis: optional(wholeNumber), keepDims: optional(flag) });

/** {@inheritDoc DifferentiableOps.sum} @function */
export const sum: Ops["sum"] = checked("sum", { x: f32, options: axisOptions }, (x, options) =>
  reduce("sum", x, options, () => 1),
);

/** {@inheritDoc DifferentiableOps.mean} @function */
export const mean: Ops["mean"] = checked("mean", { x: f32, options: axisOptions }, (x, options) =>
  reduce("mean", x, options, (n) => 1 / n),
);

/** {@inheritDoc DifferentiableOps.max} @function */
export const max: Ops["max"] = checked("max", { x: f32, options: axisOptions }, (x, options) =>
  reduce("max", x, options, () => 1),
);

/** Sum of the squares of all elements, a scalar. Gradient clipping needs it. */
export const sumOfSquares = checked("sumOfSquares", { x: f32 }, (x: F32): F32<readonly []> => {
  const out = x.device.empty([], "f32", "sumOfSquares");
  sumOfSquaresInto(out, 0, x);
  return out;
});

/**
 * Writes {@link sumOfSquares} to element `at` of a tensor, so that the sums of many tensors can be summed, or read, at once.
 * @throws {ShapeError} when the target has no element `at`.
 */
export const sumOfSquaresInto = checked(
  "sumOfSquaresInto",
  { target: f32, at: atLeast(0), x: f32 },
  (target: F32, at: number, x: F32): void => {
    if (at >= target.size)
      throw new ShapeError(`sumOfSquaresInto: element ${at} is not in a target of shape ${show(target.shape)}`);
    using _ = x.device.scope("sumOfSquares");
    reduceAll("sumOfSquares", x, { scale: 1, out: target, at });
  },
);

/** {@inheritDoc BackwardOps.maxBackward} @function */
export const maxBackward: Ops["maxBackward"] = checked(
  "maxBackward",
  { x: f32, output: f32, gradient: f32, options: axisOptions },
  (x, output, gradient, options) => {
    const { shape, outer, n, inner } = splitAt("maxBackward", x, options);
    checkShapes("maxBackward", { output, gradient }, shape);
    const out = x.device.empty(x.shape, "f32", "max gradient");
    const plan = planRows(x.device.capabilities, n, outer * inner);
    runItems(x.device, {
      kernel: "max_backward",
      constants: { ...plan, WIDE: inner === 1 ? wideOf(n) : 1 },
      items: outer,
      workgroups: (count) => Math.ceil((count * inner) / plan.ROWS),
      split: { x: [x, n * inner], largest: [output, inner], gradient: [gradient, inner], out: [out, n * inner] },
      params: (count) => ({ rows: count * inner, n, inner }),
    });
    return out;
  },
);

/** {@inheritDoc BackwardOps.expand} @function */
export const expand: Ops["expand"] = checked(
  "expand",
  { x: f32, shape: shapeKind, options: axisOptions },
  (x, shape, options) => {
    const out = x.device.empty(shape, "f32", "expand");
    const { shape: reduced, outer, n, inner } = splitAt("expand", out, options);
    checkShapes("expand", { x }, reduced);
    copyStrided("expand", [outer, n, inner], { tensor: x, strides: [inner, 0, 1] }, { tensor: out });
    return out;
  },
);

type Reduction = "sum" | "mean" | "max" | "sumOfSquares";

/** The codes of `kernels/reduce_rows.wgsl` and `reduce_columns.wgsl`. */
const codes: Record<Reduction, number> = { sum: 0, mean: 0, max: 1, sumOfSquares: 2 };

/** Elements of one row, in the first pass of a reduction over everything. */
export const blockElements = 4096;

/** Gives an F32 whose shape the callers' type parameters name; `never` fits each of them. */
function reduce(
  operation: "sum" | "mean" | "max",
  x: F32,
  options: AxisOptions | undefined,
  scaleOf: (n: number) => number,
): never {
  const { device } = x;
  const { shape, outer, n, inner } = splitAt(operation, x, options);
  if (inner > 1) return reduceMiddle(operation, x, { outer, n, inner }, shape, scaleOf(n)) as never;
  const out = device.empty(shape, "f32", operation);
  using _ = device.scope(operation);
  if (options?.axis === undefined) reduceAll(operation, x, { scale: scaleOf(n), out, at: 0 });
  else reduceRows(operation, x, { width: n, scale: scaleOf(n), out, at: 0 });
  return out as never;
}

/** The output of a reduction: written from element `at` on, times `scale`. */
interface Target {
  readonly scale: number;
  readonly out: F32;
  readonly at: number;
}

function reduceAll(operation: Reduction, x: F32, target: Target): void {
  checkNotEmpty(operation, x, x.size);
  if (x.size > blockElements) {
    const partial = x.device.empty([Math.ceil(x.size / blockElements)], "f32", operation);
    reduceRows(operation, x, { width: blockElements, scale: 1, out: partial, at: 0 });
    reduceAll(operation === "max" ? "max" : "sum", partial, target);
  } else reduceRows(operation, x, { width: x.size, ...target });
}

/** Reduces consecutive rows of `width` elements, the last of which may be shorter, to one element each. */
function reduceRows(
  operation: Reduction,
  x: F32,
  { width, scale, out, at }: Target & { readonly width: number },
): void {
  checkNotEmpty(operation, x, width);
  const rows = Math.ceil(x.size / width);
  const plan = planRows(x.device.capabilities, width, rows);
  runItems(x.device, {
    kernel: "reduce_rows",
    constants: { ...plan, OPERATION: codes[operation], WIDE: wideOf(width, x.size) },
    items: rows,
    workgroups: (count) => Math.ceil(count / plan.ROWS),
    split: { x: [x, width] },
    whole: { out },
    params: (rows, start) => ({
      rows,
      width,
      count: Math.min(rows * width, x.size - start * width),
      start: at + start,
      scale,
    }),
  });
}

/**
 * Reduces the middle axis of x seen as `[outer, n, inner]`, to a shape of `outer · inner` elements. When n is large, it works in
 * blocks and two passes, so that there are enough lanes. The order of the sum is always the same.
 */
export function reduceMiddle<S extends Shape>(
  operation: "sum" | "mean" | "max",
  x: F32,
  { outer, n, inner }: { outer: number; n: number; inner: number },
  shape: S,
  scale = 1,
): F32<S> {
  checkNotEmpty(operation, x, n);
  // Blocks of a multiple of 64 elements begin at aligned bytes, so that each can be bound by itself.
  const block = n <= 64 ? n : Math.ceil(Math.sqrt(n) / 64) * 64;
  const blocks = Math.ceil(n / block);
  const { device } = x;
  const WIDE = wideOf(inner);
  const pass = <T extends Shape>(from: F32, size: number, parts: number, each: number, to: T, by: number): F32<T> => {
    const out = device.empty(to, "f32", operation);
    // With one outer index, the items are its blocks, and the last block may be shorter. Otherwise the items are the outer indices.
    const [items, length] = outer === 1 ? [parts, each] : [outer, size];
    runItems(device, {
      kernel: "reduce_columns",
      constants: { OPERATION: codes[operation], WIDE },
      items,
      workgroups: (count) => perLane((count * out.size) / items / WIDE),
      split: { x: [from, length * inner] },
      whole: { out },
      params: (count, start) => ({
        count: (count * out.size) / items,
        n: outer === 1 ? Math.min(count * each, size - start * each) : size,
        inner,
        blocks: outer === 1 ? count : parts,
        block: each,
        start: start * (out.size / items),
        scale: by,
      }),
    });
    return out;
  };
  if (blocks === 1) return pass(x, n, 1, n, shape, scale);
  return device.scoped(operation, () => {
    const partial = pass(x, n, blocks, block, [outer, blocks, inner], 1);
    return pass(partial, blocks, 1, blocks, shape, scale);
  });
}

interface AxisOptions {
  readonly axis?: number | undefined;
  readonly keepDims?: boolean;
}

/** A tensor seen as `[outer, n, inner]`, where n is an axis or everything, and its shape once n is reduced. */
function splitAt(operation: string, x: F32, { axis, keepDims = false }: AxisOptions = {}) {
  if (axis === undefined) return { shape: keepDims ? x.shape.map(() => 1) : [], outer: 1, n: x.size, inner: 1 };
  const at = resolveAxis(operation, x.shape, axis);
  const [before, after] = [x.shape.slice(0, at), x.shape.slice(at + 1)];
  const shape = [...before, ...(keepDims ? [1] : []), ...after];
  return { shape, outer: sizeOf(before), n: x.shape[at]!, inner: sizeOf(after) };
}

function checkNotEmpty(operation: string, x: F32, n: number): void {
  if (n === 0) throw new ShapeError(`${operation}: ${show(x.shape)} has nothing to reduce`);
}
