import { ShapeError } from "../errors.ts";
import {
  type Broadcast,
  type BroadcastFits,
  broadcastShapes,
  checkSameShape,
  type Shape,
  show,
  sizeOf,
} from "../shape.ts";
import { checkF32 } from "./check.ts";
import type { F32 } from "./ops.ts";
import { perLane, perVector, runItems } from "./parts.ts";
import { sum } from "./reduce.ts";
import { broadcastStrides, collapse, walkParams } from "./strides.ts";

/** `a + b`, broadcast as NumPy does. */
export function add<A extends Shape, B extends Shape>(
  a: F32<A>,
  b: F32<B> & BroadcastFits<A, B>,
): F32<Broadcast<A, B>> {
  return binary("add", a, b) as F32<Broadcast<A, B>>;
}

/** `a − b`, broadcast as NumPy does. */
export function sub<A extends Shape, B extends Shape>(
  a: F32<A>,
  b: F32<B> & BroadcastFits<A, B>,
): F32<Broadcast<A, B>> {
  return binary("sub", a, b) as F32<Broadcast<A, B>>;
}

/** `a · b`, broadcast as NumPy does. */
export function mul<A extends Shape, B extends Shape>(
  a: F32<A>,
  b: F32<B> & BroadcastFits<A, B>,
): F32<Broadcast<A, B>> {
  return binary("mul", a, b) as F32<Broadcast<A, B>>;
}

/** `a / b`, broadcast as NumPy does. Division by zero gives what the adapter gives; WGSL does not say. */
export function div<A extends Shape, B extends Shape>(
  a: F32<A>,
  b: F32<B> & BroadcastFits<A, B>,
): F32<Broadcast<A, B>> {
  return binary("div", a, b) as F32<Broadcast<A, B>>;
}

/** `x · factor + offset` with plain numbers. */
export function affine<S extends Shape>(
  x: F32<S>,
  { factor = 1, offset = 0 }: { readonly factor?: number; readonly offset?: number },
): F32<S> {
  return map("affine", x, {}, { factor, offset });
}

/** Each element limited to `[min, max]`. */
export function clamp<S extends Shape>(x: F32<S>, limits: { readonly min: number; readonly max: number }): F32<S> {
  return map("clamp", x, {}, checkLimits("clamp", limits));
}

/** Gradient of {@link clamp}: passes where x lies inside `[min, max]`, ends included. */
export function clampBackward<S extends Shape>(
  x: F32<S>,
  gradient: F32<S>,
  limits: { readonly min: number; readonly max: number },
): F32<S> {
  return mapBackward("clamp_backward", x, gradient, {}, checkLimits("clampBackward", limits));
}

/** `target += factor · x`, in place. The shapes must be equal. */
export function addInto<S extends Shape>(target: F32<S>, x: F32<S>, { factor = 1 }: { factor?: number } = {}): void {
  checkF32("addInto", { target, x });
  checkSameShape("addInto", target.shape, x.shape);
  runItems(x.device, {
    kernel: "add_into",
    items: x.size,
    workgroups: perVector,
    split: { total: [target, 1], x: [x, 1] },
    params: (count) => ({ count, factor }),
  });
}

/**
 * Sums x over the axes along which `shape` was broadcast to the shape of x: the gradient of broadcasting.
 * @throws {ShapeError} when `shape` does not broadcast to the shape of x.
 */
export function sumTo<S extends Shape>(x: F32, shape: S): F32<S> {
  const missing = x.shape.length - shape.length;
  if (missing < 0 || !shape.every((dim, i) => dim === 1 || dim === x.shape[i + missing]))
    throw new ShapeError(`sumTo: ${show(shape)} does not broadcast to ${show(x.shape)}`);
  return x.device.scoped("sumTo", () => {
    let sizes = x.shape;
    let total = x;
    // Neighbouring axes are summed together; from the last, so that the axes before keep their places.
    for (let end = x.shape.length; end > 0; end--) {
      const repeated = (i: number) => i < missing || (shape[i - missing] === 1 && x.shape[i] !== 1);
      if (!repeated(end - 1)) continue;
      let start = end - 1;
      while (start > 0 && repeated(start - 1)) start--;
      const [outer, joined, inner] = [sizes.slice(0, start), sizeOf(sizes.slice(start, end)), sizes.slice(end)];
      total = sum(total.reshape([...outer, joined, ...inner]), { axis: start });
      sizes = [...outer, ...new Array<number>(end - start).fill(1), ...inner];
      end = start + 1;
    }
    return total.reshape(shape);
  });
}

const binaryOperations = { add: 0, sub: 1, mul: 2, div: 3 } as const;

function binary(operation: keyof typeof binaryOperations, a: F32, b: F32): F32 {
  checkF32(operation, { a, b });
  const shape = broadcastShapes(operation, a.shape, b.shape);
  const out = a.device.empty(shape, "f32", operation);
  const OPERATION = binaryOperations[operation];
  if (a.size === out.size && b.size === out.size) {
    runItems(a.device, {
      kernel: "binary",
      constants: { OPERATION },
      items: out.size,
      workgroups: perVector,
      split: { a: [a, 1], b: [b, 1], out: [out, 1] },
      params: (count) => ({ count }),
    });
    return out;
  }
  if (out.size === 0) return out;
  const walk = collapse(operation, shape, broadcastStrides(a.shape, shape), broadcastStrides(b.shape, shape));
  const inner = out.size / walk.sizes[0]!;
  runItems(a.device, {
    kernel: "binary_broadcast",
    constants: { OPERATION, RANK: walk.sizes.length },
    items: walk.sizes[0]!,
    workgroups: (count) => perLane(count * inner),
    split: { out: [out, inner], ...(walk.p[0] && { a: [a, walk.p[0]] }), ...(walk.q[0] && { b: [b, walk.q[0]] }) },
    whole: { ...(!walk.p[0] && { a }), ...(!walk.q[0] && { b }) },
    params: (count) => walkParams(walk, count * inner),
  });
  return out;
}

/** Runs a kernel of one input over elements. */
export function map<S extends Shape>(
  kernel: string,
  x: F32<S>,
  constants: Readonly<Record<string, number>>,
  params: Readonly<Record<string, number>> = {},
): F32<S> {
  checkF32(kernel, { x });
  const out = x.device.empty(x.shape, "f32", kernel);
  runItems(x.device, {
    kernel,
    constants,
    items: x.size,
    workgroups: perVector,
    split: { x: [x, 1], out: [out, 1] },
    params: (count) => ({ count, ...params }),
  });
  return out;
}

/** Runs the backward kernel of a function of one input over elements. */
export function mapBackward<S extends Shape>(
  kernel: string,
  x: F32<S>,
  gradient: F32<S>,
  constants: Readonly<Record<string, number>>,
  params: Readonly<Record<string, number>> = {},
): F32<S> {
  checkF32(kernel, { x, gradient });
  checkSameShape(kernel, x.shape, gradient.shape);
  const out = x.device.empty(x.shape, "f32", kernel);
  runItems(x.device, {
    kernel,
    constants,
    items: x.size,
    workgroups: perVector,
    split: { x: [x, 1], gradient: [gradient, 1], out: [out, 1] },
    params: (count) => ({ count, ...params }),
  });
  return out;
}

function checkLimits(operation: string, limits: { readonly min: number; readonly max: number }) {
  const { min, max } = limits;
  if (!(min <= max)) throw new ShapeError(`${operation}: min ${min} is not at most max ${max}`);
  return { low: min, high: max };
}
