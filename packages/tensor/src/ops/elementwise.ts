import { finite, optional, options, shapeKind } from "../arguments.ts";
import { ShapeError } from "../errors.ts";
import { broadcastShapes, type Shape, show, sizeOf } from "../shape.ts";
import { checkShapes } from "./check.ts";
import { checked, f32 } from "./checked.ts";
import type { F32, Ops } from "./ops.ts";
import { type ElementRun, perTurns, planTurns, runElements, runItems } from "./parts.ts";
import { sum } from "./reduce.ts";
import { broadcastStrides, collapse, itemsOf, walkParams } from "./strides.ts";

/** {@inheritDoc DifferentiableOps.add} @function */
export const add: Ops["add"] = checked("add", { a: f32, b: f32 }, (a, b) => binary("add", a, b) as never);

/** {@inheritDoc DifferentiableOps.sub} @function */
export const sub: Ops["sub"] = checked("sub", { a: f32, b: f32 }, (a, b) => binary("sub", a, b) as never);

/** {@inheritDoc DifferentiableOps.mul} @function */
export const mul: Ops["mul"] = checked("mul", { a: f32, b: f32 }, (a, b) => binary("mul", a, b) as never);

/** {@inheritDoc DifferentiableOps.div} @function */
export const div: Ops["div"] = checked("div", { a: f32, b: f32 }, (a, b) => binary("div", a, b) as never);

/** {@inheritDoc DifferentiableOps.affine} @function */
export const affine: Ops["affine"] = checked(
  "affine",
  { x: f32, options: options({ factor: optional(finite), offset: optional(finite) }) },
  (x, { factor = 1, offset = 0 } = {}) => map("affine", x, { params: { factor, offset } }),
);

const limits = options({ min: finite, max: finite });

/** {@inheritDoc DifferentiableOps.clamp} @function */
export const clamp: Ops["clamp"] = checked("clamp", { x: f32, options: limits }, (x, options) =>
  map("clamp", x, { params: checkLimits("clamp", options) }),
);

/** {@inheritDoc BackwardOps.clampBackward} @function */
export const clampBackward: Ops["clampBackward"] = checked(
  "clampBackward",
  { x: f32, gradient: f32, options: limits },
  (x, gradient, options) => mapBackward("clamp", x, gradient, { params: checkLimits("clampBackward", options) }),
);

/** {@inheritDoc BackwardOps.addInto} @function */
export const addInto: Ops["addInto"] = checked(
  "addInto",
  { target: f32, x: f32, options: options({ factor: optional(finite) }) },
  (target, x, { factor = 1 } = {}) => {
    checkShapes("addInto", { x }, target.shape);
    runElements("add_into", { total: target, x }, { params: { factor } });
  },
);

/** {@inheritDoc BackwardOps.sumTo} @function */
export const sumTo: Ops["sumTo"] = checked("sumTo", { x: f32, shape: shapeKind }, (x, shape) => {
  const missing = x.shape.length - shape.length;
  if (missing < 0 || !shape.every((dim, i) => dim === 1 || dim === x.shape[i + missing]))
    throw new ShapeError(`sumTo: ${show(shape)} does not broadcast to ${show(x.shape)}`);
  return x.device.scoped("sumTo", () => {
    let sizes = x.shape;
    let total = x;
    // Neighbouring axes are summed together. The loop begins at the last axis, so that the axes before keep their places.
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
});

const binaryOperations = { add: 0, sub: 1, mul: 2, div: 3 } as const;

function binary(operation: keyof typeof binaryOperations, a: F32, b: F32): F32 {
  const shape = broadcastShapes(operation, a.shape, b.shape);
  const out = a.device.empty(shape, "f32", operation);
  const OPERATION = binaryOperations[operation];
  if (a.size === out.size && b.size === out.size) {
    runElements("binary", { a, b, out }, { constants: { OPERATION } });
    return out;
  }
  if (out.size === 0) return out;
  const walk = collapse(operation, shape, broadcastStrides(a.shape, shape), broadcastStrides(b.shape, shape));
  const { wide, items } = itemsOf(walk);
  const wideBy = (strides: readonly number[]) => (strides.at(-1) === 0 ? 1 : wide);
  const TURNS = planTurns(a.device.capabilities);
  const inner = out.size / walk.sizes[0]!;
  runItems(a.device, {
    kernel: "binary_broadcast",
    constants: {
      OPERATION,
      RANK: walk.sizes.length,
      WIDE: wide,
      WIDE_A: wideBy(walk.p),
      WIDE_B: wideBy(walk.q),
      TURNS,
    },
    items: walk.sizes[0]!,
    workgroups: (count) => perTurns((count * inner) / wide, TURNS),
    split: { out: [out, inner], ...(walk.p[0] && { a: [a, walk.p[0]] }), ...(walk.q[0] && { b: [b, walk.q[0]] }) },
    whole: { ...(!walk.p[0] && { a }), ...(!walk.q[0] && { b }) },
    params: (count) => walkParams(items, (count * inner) / wide),
  });
  return out;
}

/** Runs a kernel that computes a function of each element. */
export function map<S extends Shape>(kernel: string, x: F32<S>, run: ElementRun): F32<S> {
  const out = x.device.empty(x.shape, "f32", kernel);
  runElements(kernel, { x, out }, run);
  return out;
}

/** Runs the backward kernel of an operation that computes a function of each element. */
export function mapBackward(operation: "clamp" | "unary", x: F32, gradient: F32, run: ElementRun): F32 {
  checkShapes(`${operation}Backward`, { gradient }, x.shape);
  const out = x.device.empty(x.shape, "f32", `${operation} gradient`);
  runElements(`${operation}_backward`, { x, gradient, out }, run);
  return out;
}

function checkLimits(operation: string, { min, max }: { readonly min: number; readonly max: number }) {
  if (min > max) throw new ShapeError(`${operation}: min ${min} is not at most max ${max}`);
  return { low: min, high: max };
}
