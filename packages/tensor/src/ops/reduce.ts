import { ShapeError } from "../errors.ts";
import { type Shape, show, sizeOf } from "../shape.ts";
import { checkF32, checkShapeIs, resolveAxis } from "./check.ts";
import { copyStrided } from "./copy-strided.ts";
import type { F32 } from "./ops.ts";
import { perLane, runItems } from "./parts.ts";
import { planRows } from "./row-plan.ts";

/** Sum over one axis, which is dropped, or over everything, giving a scalar. */
export function sum(x: F32, options: { readonly axis?: number } = {}): F32 {
  return reduce("sum", x, options.axis, () => 1);
}

/** Mean over one axis, which is dropped, or over everything, giving a scalar. */
export function mean(x: F32, options: { readonly axis?: number } = {}): F32 {
  return reduce("mean", x, options.axis, (n) => 1 / n);
}

/** Maximum over one axis, which is dropped, or over everything, giving a scalar. WGSL leaves open what NaN does. */
export function max(x: F32, options: { readonly axis?: number } = {}): F32 {
  return reduce("max", x, options.axis, () => 1);
}

/** Sum of the squares of all elements, a scalar: what gradient clipping needs. */
export function sumOfSquares(x: F32): F32<readonly []> {
  const out = x.device.empty([], "f32", "sumOfSquares");
  sumOfSquaresInto(out, 0, x);
  return out;
}

/** {@link sumOfSquares}, written to element `at` of a tensor: so that the sums of many tensors can be summed, or read, at once. */
export function sumOfSquaresInto(target: F32, at: number, x: F32): void {
  checkF32("sumOfSquares", { target, x });
  if (!(Number.isInteger(at) && at >= 0 && at < target.size))
    throw new ShapeError(`sumOfSquaresInto: element ${at} is not in a target of shape ${show(target.shape)}`);
  using _ = x.device.scope("sumOfSquares");
  reduceAll("sumOfSquares", x, { scale: 1, out: target, at });
}

/**
 * Gradient of {@link max}: elements equal to the maximum share it equally.
 * @param output what `max` gave
 */
export function maxBackward<S extends Shape>(
  x: F32<S>,
  output: F32,
  gradient: F32,
  { axis }: { readonly axis?: number } = {},
): F32<S> {
  checkF32("maxBackward", { x, output, gradient });
  const { shape, outer, n, inner } = splitAt("maxBackward", x, axis);
  checkShapeIs("maxBackward", "output", output, shape);
  checkShapeIs("maxBackward", "gradient", gradient, shape);
  const out = x.device.empty(x.shape, "f32", "max gradient");
  const plan = planRows(x.device.capabilities, n);
  runItems(x.device, {
    kernel: "max_backward",
    constants: { ...plan },
    items: outer,
    workgroups: (count) => Math.ceil((count * inner) / plan.ROWS),
    split: { x: [x, n * inner], largest: [output, inner], gradient: [gradient, inner], out: [out, n * inner] },
    params: (count) => ({ rows: count * inner, n, inner }),
  });
  return out;
}

/**
 * Repeats a reduced tensor along the axis that was dropped, or a scalar everywhere, to a shape: the gradient of {@link sum}.
 * @throws {ShapeError} when x is not what reducing `shape` over the axis gives.
 */
export function expand<S extends Shape>(x: F32, shape: S, { axis }: { readonly axis?: number } = {}): F32<S> {
  checkF32("expand", { x });
  const out = x.device.empty(shape, "f32", "expand");
  const { shape: reduced, outer, n, inner } = splitAt("expand", out, axis);
  checkShapeIs("expand", "x", x, reduced);
  copyStrided("expand", [outer, n, inner], { tensor: x, strides: [inner, 0, 1] }, { tensor: out });
  return out;
}

type Reduction = "sum" | "mean" | "max" | "sumOfSquares";

/** The codes of `kernels/reduce_rows.wgsl` and `reduce_columns.wgsl`. */
const codes: Record<Reduction, number> = { sum: 0, mean: 0, max: 1, sumOfSquares: 2 };

/** Elements that one row of the first pass over everything takes. */
const blockElements = 4096;

function reduce(
  operation: "sum" | "mean" | "max",
  x: F32,
  axis: number | undefined,
  scaleOf: (n: number) => number,
): F32 {
  checkF32(operation, { x });
  const { device } = x;
  const { shape, outer, n, inner } = splitAt(operation, x, axis);
  if (inner > 1) return reduceMiddle(operation, x, { outer, n, inner }, shape, scaleOf(n));
  const out = device.empty(shape, "f32", operation);
  using _ = device.scope(operation);
  if (axis === undefined) reduceAll(operation, x, { scale: scaleOf(n), out, at: 0 });
  else reduceRows(operation, x, { width: n, scale: scaleOf(n), out, at: 0 });
  return out;
}

/** Where a reduction is written: from element `at` on, times `scale`. */
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
  const plan = planRows(x.device.capabilities, width);
  runItems(x.device, {
    kernel: "reduce_rows",
    constants: { ...plan, OPERATION: codes[operation] },
    items: Math.ceil(x.size / width),
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
 * Reduces the middle axis of x seen as `[outer, n, inner]`, giving a tensor of a shape of `outer · inner` elements. In blocks
 * and two passes when n is large, so that there are lanes enough; always in the same order.
 */
export function reduceMiddle<S extends Shape>(
  operation: "sum" | "mean" | "max",
  x: F32,
  { outer, n, inner }: { outer: number; n: number; inner: number },
  shape: S,
  scale = 1,
): F32<S> {
  checkNotEmpty(operation, x, n);
  // Whole multiples of 64 elements begin at aligned bytes, so that blocks can be bound apart.
  const block = n <= 64 ? n : Math.ceil(Math.sqrt(n) / 64) * 64;
  const blocks = Math.ceil(n / block);
  const { device } = x;
  const pass = <T extends Shape>(from: F32, size: number, parts: number, each: number, to: T, by: number): F32<T> => {
    const out = device.empty(to, "f32", operation);
    // One outer index can be split between its blocks, of which the last may be shorter; several are kept whole.
    const [items, length] = outer === 1 ? [parts, each] : [outer, size];
    runItems(device, {
      kernel: "reduce_columns",
      constants: { OPERATION: codes[operation] },
      items,
      workgroups: (count) => perLane((count * out.size) / items),
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

/** A tensor seen as `[outer, n, inner]` around an axis, or around all of it, and its shape without that axis. */
function splitAt(operation: string, x: F32, axis: number | undefined) {
  if (axis === undefined) return { shape: [], outer: 1, n: x.size, inner: 1 };
  const at = resolveAxis(operation, x.shape, axis);
  const [before, after] = [x.shape.slice(0, at), x.shape.slice(at + 1)];
  return { shape: [...before, ...after], outer: sizeOf(before), n: x.shape[at]!, inner: sizeOf(after) };
}

function checkNotEmpty(operation: string, x: F32, n: number): void {
  if (n === 0) throw new ShapeError(`${operation}: ${show(x.shape)} has nothing to reduce`);
}
