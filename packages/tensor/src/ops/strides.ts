import { ShapeError } from "../errors.ts";
import { type Shape, show } from "../shape.ts";
import { wideOf } from "./row-plan.ts";

const maxRank = 6;
const numbered = (name: string) => Array.from({ length: maxRank }, (_, i) => `${name}${i}`);
const names = { size: numbered("size"), p: numbered("p"), q: numbered("q") };

/** Row-major strides of a shape, in elements. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length).fill(1);
  for (let i = shape.length - 2; i >= 0; i--) strides[i] = strides[i + 1]! * shape[i + 1]!;
  return strides;
}

/** Strides of a tensor that is broadcast to a shape: 0 along every axis on which it is repeated. */
export function broadcastStrides(shape: Shape, target: Shape): number[] {
  const strides = stridesOf(shape);
  const missing = target.length - shape.length;
  return target.map((_, i) => (i < missing || shape[i - missing] === 1 ? 0 : strides[i - missing]!));
}

/** Two tensors, p and q, visited in the order of one index space, each with its strides (`kernels/lib/strides.wgsl`). */
export interface Walk {
  readonly sizes: readonly number[];
  readonly p: readonly number[];
  readonly q: readonly number[];
}

/**
 * The same walk over as few axes as possible. Axes of size 1 are dropped. Neighbouring axes are joined where both tensors step evenly over them.
 * @throws {ShapeError} when more than six axes remain.
 */
export function collapse(operation: string, sizes: Shape, p: readonly number[], q: readonly number[]): Walk {
  const axes: { size: number; p: number; q: number }[] = [];
  for (const [i, size] of sizes.entries()) {
    if (size === 1) continue;
    const inner = { size, p: p[i]!, q: q[i]! };
    const outer = axes.at(-1);
    if (outer && outer.p === inner.p * size && outer.q === inner.q * size)
      axes[axes.length - 1] = { size: outer.size * size, p: inner.p, q: inner.q };
    else axes.push(inner);
  }
  if (axes.length > maxRank)
    throw new ShapeError(
      `${operation}: ${show(sizes)} needs ${axes.length} separate axes; a kernel takes at most ${maxRank}`,
    );
  return { sizes: axes.map((a) => a.size), p: axes.map((a) => a.p), q: axes.map((a) => a.q) };
}

/**
 * The walk in items (`kernels/lib/items.wgsl`), of four elements where that is wanted and where every line of both tensors begins at a whole
 * vector. A tensor whose last stride is 0 is still walked in elements: one stands for a whole item.
 */
export function itemsOf(walk: Walk, wanted = true): { readonly wide: number; readonly items: Walk } {
  const last = walk.sizes.length - 1;
  const whole = (strides: readonly number[]) =>
    strides[last] === 0 || (strides[last] === 1 && wideOf(...strides.slice(0, last)) === 4);
  if (!wanted || last < 0 || wideOf(walk.sizes[last]!) === 1 || !whole(walk.p) || !whole(walk.q))
    return { wide: 1, items: walk };
  const inItems = (strides: readonly number[]) =>
    strides[last] === 0 ? strides : strides.map((stride, i) => (i === last ? 1 : stride / 4));
  return {
    wide: 4,
    items: { sizes: walk.sizes.with(last, walk.sizes[last]! / 4), p: inItems(walk.p), q: inItems(walk.q) },
  };
}

/** Kernel parameters of a walk, besides the override constant RANK. */
export function walkParams({ sizes, p, q }: Walk, count: number, pOffset = 0, qOffset = 0): Record<string, number> {
  const params: Record<string, number> = { count, p_offset: pOffset, q_offset: qOffset };
  for (let i = 0; i < maxRank; i++) {
    if (i > 0) params[names.size[i]!] = sizes[i] ?? 1;
    params[names.p[i]!] = p[i] ?? 0;
    params[names.q[i]!] = q[i] ?? 0;
  }
  return params;
}
