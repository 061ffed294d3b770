import { type FloatDType, floatCode } from "../dtype.ts";
import { ShapeError } from "../errors.ts";
import { type Shape, show } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { checkDType, checkF32, resolveAxis } from "./check.ts";
import { copyStrided } from "./copy-strided.ts";
import type { F32, Weight } from "./ops.ts";
import { perLane, runItems } from "./parts.ts";
import { zeros } from "./random.ts";
import { stridesOf } from "./strides.ts";

/** The same numbers under another shape, without a copy. */
export function reshape<S extends Shape>(x: F32, { shape }: { readonly shape: S }): F32<S> {
  return x.reshape(shape);
}

/** Axes in a new order, copied: axis i of the result is axis `axes[i]` of x. */
export function permute(x: F32, { axes }: { readonly axes: readonly number[] }): F32 {
  checkF32("permute", { x });
  const order = axes.map((axis) => resolveAxis("permute", x.shape, axis));
  if (order.length !== x.shape.length || new Set(order).size !== order.length)
    throw new ShapeError(`permute: axes ${show(axes)} do not name each axis of ${show(x.shape)} once`);
  const strides = stridesOf(x.shape);
  const shape = order.map((axis) => x.shape[axis]!);
  const out = x.device.empty(shape, "f32", "permute");
  copyStrided("permute", shape, { tensor: x, strides: order.map((axis) => strides[axis]!) }, { tensor: out });
  return out;
}

/** Elements `start … end − 1` of one axis. */
export function slice(
  x: F32,
  { axis, start, end }: { readonly axis: number; readonly start: number; readonly end: number },
): F32 {
  checkF32("slice", { x });
  const at = resolveAxis("slice", x.shape, axis);
  checkRange("slice", x.shape, at, start, end);
  const shape = x.shape.with(at, end - start);
  const out = x.device.empty(shape, "f32", "slice");
  const strides = stridesOf(x.shape);
  copyStrided("slice", shape, { tensor: x, strides, offset: start * strides[at]! }, { tensor: out });
  return out;
}

/** Gradient of {@link slice} for an axis of `size` elements: zeros, with the gradient in the place that was cut out. */
export function sliceBackward(
  gradient: F32,
  { axis, start, size }: { readonly axis: number; readonly start: number; readonly size: number },
): F32 {
  checkF32("sliceBackward", { gradient });
  const at = resolveAxis("sliceBackward", gradient.shape, axis);
  const shape = gradient.shape.with(at, size);
  checkRange("sliceBackward", shape, at, start, start + gradient.shape[at]!);
  const out = zeros(gradient.device, shape);
  place("sliceBackward", gradient, out, at, start);
  return out;
}

/** Two tensors joined along an axis. */
export function concat(a: F32, b: F32, { axis }: { readonly axis: number }): F32 {
  checkF32("concat", { a, b });
  const at = resolveAxis("concat", a.shape, axis);
  const joined = a.shape[at]!;
  if (a.shape.length !== b.shape.length || a.shape.some((dim, i) => i !== at && dim !== b.shape[i]))
    throw new ShapeError(`concat: shapes ${show(a.shape)} and ${show(b.shape)} differ in more than axis ${at}`);
  const out = a.device.empty(a.shape.with(at, joined + b.shape[at]!), "f32", "concat");
  place("concat", a, out, at, 0);
  place("concat", b, out, at, joined);
  return out;
}

/**
 * To another floating-point dtype, rounding to nearest, ties to even. Too large for f16 becomes infinity; widening is exact.
 */
export function cast<S extends Shape, D extends FloatDType>(
  x: Weight<S>,
  { dtype }: { readonly dtype: D },
): Tensor<S, D> {
  checkDType("cast", "x", x, "f32", "f16", "bf16");
  const out = x.device.empty(x.shape, dtype, "cast");
  runItems(x.device, {
    kernel: "cast",
    constants: { FROM: floatCode(x.dtype), TO: floatCode(dtype) },
    items: x.size,
    workgroups: (count) => perLane(Math.ceil(count / 2)),
    split: { x: [x, 1], out: [out, 1] },
    params: (count) => ({ count }),
  });
  return out;
}

/** Copies a tensor into another that differs from it in the length of one axis. */
function place(operation: string, x: F32, out: F32, axis: number, start: number): void {
  const strides = stridesOf(out.shape);
  copyStrided(operation, x.shape, { tensor: x }, { tensor: out, strides, offset: start * strides[axis]! });
}

function checkRange(operation: string, shape: Shape, axis: number, start: number, end: number): void {
  const whole = Number.isInteger(start) && Number.isInteger(end);
  if (!whole || start < 0 || end < start || end > shape[axis]!)
    throw new ShapeError(`${operation}: ${start} … ${end} is not a range of axis ${axis} of ${show(shape)}`);
}
