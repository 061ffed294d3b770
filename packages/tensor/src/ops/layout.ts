import { atLeast, oneOf, options, shapeKind, wholeNumber, wholeNumbers } from "../arguments.ts";
import { floatCode } from "../dtype.ts";
import { ShapeError } from "../errors.ts";
import { type Shape, show } from "../shape.ts";
import { checkShapes, resolveAxis } from "./check.ts";
import { anyFloat, checked, f32 } from "./checked.ts";
import { copyStrided } from "./copy-strided.ts";
import type { F32, Ops, Weight } from "./ops.ts";
import { runElements } from "./parts.ts";
import { zeros } from "./random.ts";
import { stridesOf } from "./strides.ts";

/** {@inheritDoc DifferentiableOps.reshape} @function */
export const reshape: Ops["reshape"] = checked(
  "reshape",
  { x: f32, options: options({ shape: shapeKind }) },
  (x, { shape }) => x.reshape(shape),
);

/** {@inheritDoc DifferentiableOps.permute} @function */
export const permute: Ops["permute"] = checked(
  "permute",
  { x: f32, options: options({ axes: wholeNumbers }) },
  (x, { axes }) => {
    const order = axes.map((axis) => resolveAxis("permute", x.shape, axis));
    if (order.length !== x.shape.length || new Set(order).size !== order.length)
      throw new ShapeError(`permute: axes ${show(axes)} do not name each axis of ${show(x.shape)} once`);
    const strides = stridesOf(x.shape);
    const shape = order.map((axis) => x.shape[axis]!);
    const out = x.device.empty(shape, "f32", "permute");
    copyStrided("permute", shape, { tensor: x, strides: order.map((axis) => strides[axis]!) }, { tensor: out });
    return out;
  },
);

/** {@inheritDoc DifferentiableOps.slice} @function */
export const slice: Ops["slice"] = checked(
  "slice",
  { x: f32, options: options({ axis: wholeNumber, start: atLeast(0), end: atLeast(0) }) },
  (x, { axis, start, end }) => {
    const at = resolveAxis("slice", x.shape, axis);
    checkRange("slice", x.shape, at, start, end);
    const shape = x.shape.with(at, end - start);
    const out = x.device.empty(shape, "f32", "slice");
    const strides = stridesOf(x.shape);
    copyStrided("slice", shape, { tensor: x, strides, offset: start * strides[at]! }, { tensor: out });
    return out;
  },
);

/** {@inheritDoc BackwardOps.sliceBackward} @function */
export const sliceBackward: Ops["sliceBackward"] = checked(
  "sliceBackward",
  { gradient: f32, options: options({ axis: wholeNumber, start: atLeast(0), size: atLeast(0) }) },
  (gradient, { axis, start, size }) => {
    const at = resolveAxis("sliceBackward", gradient.shape, axis);
    const shape = gradient.shape.with(at, size);
    checkRange("sliceBackward", shape, at, start, start + gradient.shape[at]!);
    const out = zeros(gradient.device, shape);
    place("sliceBackward", gradient, out, at, start);
    return out;
  },
);

/** {@inheritDoc DifferentiableOps.concat} @function */
export const concat: Ops["concat"] = checked(
  "concat",
  { a: f32, b: f32, options: options({ axis: wholeNumber }) },
  (a, b, { axis }) => {
    const at = resolveAxis("concat", a.shape, axis);
    const joined = a.shape[at]!;
    if (a.shape.length !== b.shape.length || a.shape.some((dim, i) => i !== at && dim !== b.shape[i]))
      throw new ShapeError(`concat: shapes ${show(a.shape)} and ${show(b.shape)} differ in more than axis ${at}`);
    const out = a.device.empty(a.shape.with(at, joined + b.shape[at]!), "f32", "concat");
    place("concat", a, out, at, 0);
    place("concat", b, out, at, joined);
    return out;
  },
);

/** {@inheritDoc DifferentiableOps.cast} @function */
export const cast: Ops["cast"] = checked(
  "cast",
  { x: anyFloat, options: options({ dtype: oneOf(["f32", "f16", "bf16"]) }) },
  (x, { dtype }) => {
    const out = x.device.empty(x.shape, dtype, "cast");
    runCast(x, out);
    return out;
  },
);

/**
 * Writes x into a tensor of its shape, in the target's dtype, as `cast` rounds it; bit for bit where the dtypes are equal.
 * @throws {ShapeError} when the shapes differ
 */
export const castInto = checked("castInto", { target: anyFloat, x: anyFloat }, (target: Weight, x: Weight): void => {
  checkShapes("castInto", { x }, target.shape);
  if (x.dtype === target.dtype) x.device.copyBytes(x, 0, target, 0, x.bytes);
  else runCast(x, target);
});

function runCast(x: Weight, out: Weight): void {
  runElements("cast", { x, out }, { constants: { FROM: floatCode(x.dtype), TO: floatCode(out.dtype) } });
}

/** Copies a tensor into another that differs from it in the length of one axis. */
function place(operation: string, x: F32, out: F32, axis: number, start: number): void {
  const strides = stridesOf(out.shape);
  copyStrided(operation, x.shape, { tensor: x }, { tensor: out, strides, offset: start * strides[axis]! });
}

function checkRange(operation: string, shape: Shape, axis: number, start: number, end: number): void {
  if (end < start || end > shape[axis]!)
    throw new ShapeError(`${operation}: ${start} … ${end} is not a range of axis ${axis} of ${show(shape)}`);
}
