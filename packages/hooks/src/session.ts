import { type DType, type F32, type Ops, type Shape, Tensor, type Weight } from "@lethe/tensor";
import { HookError } from "./errors.ts";
import { type Held, heldParts, type Span } from "./held.ts";
import type { Hook, Hooks } from "./hooks.ts";
import { checkHeads, columnsOf, type Part, partsAt, putParts, takeParts } from "./parts.ts";
import { type HookPoint, pointAt, selectPoints } from "./points.ts";
import { type Site, sites } from "./sites.ts";

/** The run that hooks take part in. */
export interface Run {
  /** Points that the run reaches. */
  readonly points: readonly HookPoint[];
  readonly ops: Ops;
  /** T, the columns of the batch. */
  readonly length: number;
  /** Columns in a cache before the batch. Default: 0. */
  readonly cachedColumns?: number;
  /** Columns of each sequence's tokens, those in the cache counted. Without them a capture cannot tell which column is padding. */
  readonly sequences?: readonly Span[];
  /** The rows whose logits the run computes; the sites behind the blocks have only those. Default: all. */
  readonly rows?: Tensor | undefined;
}

interface BoundHook {
  readonly hook: Hook;
  readonly point: HookPoint;
  /** What of the tensor the hook is about; empty for all of it. */
  readonly parts: readonly Part[];
  /** Its columns, counted from the cache's first, and its heads. */
  readonly wanted: Held;
  fired: boolean;
}

/** Applies hooks in one run. A model calls it at each of its hook points, and calls `finish` at the end. */
export class HookSession {
  readonly #ops: Ops;
  readonly #bound = new Map<string, BoundHook[]>();

  /**
   * Checks everything that can be checked before the run.
   * @throws {HookError} when a hook names no point of the run or a layer that the run lacks, when a source lacks a tensor or a
   *   position to restore, when positions are asked for at a point without positions, or when two hooks replace one point.
   */
  constructor(hooks: Hooks | undefined, { points, ops, length, cachedColumns = 0, sequences, rows }: Run) {
    this.#ops = ops;
    const every = Array.from({ length }, (_, column) => column);
    for (const hook of hooks?.list ?? []) {
      const columns = hook.positions && columnsOf(hook.positions, length, hook.label);
      const { heads } = hook;
      const all = {
        end: cachedColumns + length,
        columns: (columns ?? every).map((column) => cachedColumns + column),
        sequences,
        heads,
      };
      for (const point of selectPoints(points, hook.selector, hook.layers)) {
        const others = this.#bound.get(point.name) ?? [];
        const wanted = rows && sites[point.site].inRows ? { ...all, rows: rows.storage } : all;
        const bound = { hook, point, parts: partsAt(point.site, columns, heads), wanted, fired: false };
        check(bound, others);
        this.#bound.set(point.name, [...others, bound]);
      }
    }
  }

  /** Whether a hook is at this point. Sites that are computed on request are computed then. */
  wants(site: Site, layer: number | null): boolean {
    return this.#bound.size > 0 && this.#bound.has(pointAt(site, layer).name);
  }

  /** The tensor that continues from a hook point: `x` itself where no hook changes it. */
  at<S extends Shape, D extends DType>(site: Site, layer: number | null, x: Tensor<S, D>): Tensor<S, D> {
    if (this.#bound.size === 0) return x;
    let result: Tensor = x;
    for (const bound of this.#bound.get(pointAt(site, layer).name) ?? []) {
      result = apply(bound, result, this.#ops);
      bound.fired = true;
    }
    return result as Tensor<S, D>;
  }

  /**
   * As {@link at}, but does not compute a tensor that a hook replaces as a whole: a sweep that restores m need not compute m first.
   * @param shape shape of the result of `compute`
   * @param inside sites that `compute` reaches; a hook at one of them makes it run
   */
  produce<S extends Shape>(
    site: Site,
    layer: number,
    shape: S,
    inside: readonly Site[],
    compute: () => F32<S>,
  ): F32<S> {
    const first = this.#bound.get(pointAt(site, layer).name)?.[0];
    const skipped =
      first?.hook.action.kind === "replace" &&
      first.parts.length === 0 &&
      !inside.some((other) => this.wants(other, layer));
    if (!skipped) return this.at(site, layer, compute());
    return this.at(site, layer, replacement(first, shape, "f32", this.#ops) as F32<S>);
  }

  /** @throws {HookError} when a hook did not fire at one of its points. */
  finish(): void {
    const silent = [...this.#bound.values()].flat().filter(({ fired }) => !fired);
    if (silent.length === 0) return;
    const which = silent.map(({ hook, point }) => `${hook.label} (${point.name})`).join(", ");
    throw new HookError(`these hooks never fired, because the run did not reach their points: ${which}`);
  }
}

function check(bound: BoundHook, others: readonly BoundHook[]): void {
  const { hook, point, parts } = bound;
  const { action, label, positions, heads } = hook;
  const { parameter, headAxis } = sites[point.site];
  if (positions && parameter)
    throw new HookError(`${label}: ${point.name} has no positions to choose from; leave out \`positions\``);
  if (positions && bound.wanted.rows)
    throw new HookError(`${label}: ${point.name} has rows in this run, and no positions to choose from`);
  if (heads && headAxis === undefined)
    throw new HookError(`${label}: ${point.name} has no heads to choose from; leave out \`heads\``);
  if (action.kind !== "replace") return;
  if (!action.source.tensorAt(point.site, point.layer))
    throw new HookError(`${label}: ${action.source.label} has no ${point.name}`);
  sourceParts(bound);
  const other = others.find(({ hook, parts }) => hook.action.kind === "replace" && parts.length === 0);
  if (other && parts.length === 0)
    throw new HookError(`${point.name} is replaced twice: by "${other.hook.label}" and by "${label}"`);
}

function apply(bound: BoundHook, x: Tensor, ops: Ops): Tensor {
  const { hook, point, parts, wanted } = bound;
  const { action, label } = hook;
  const { parameter } = sites[point.site];
  const { headAxis } = sites[point.site];
  if (hook.heads) checkHeads(hook.heads, x.shape[headAxis!]!, `${label}: ${point.name}`);
  if (action.kind === "capture") {
    if (parameter) action.into.put(point, copyOf(ops.effectiveWeight(x as Weight), point));
    else action.into.put(point, takeParts(ops, x as F32, parts).retain(), wanted);
    return x;
  }
  if (action.kind === "replace") {
    if (parts.length === 0) {
      const value = replacement(bound, x.shape, x.dtype, ops);
      const same = parameter && value.storage === x.storage;
      if (!same || ops.effectiveWeight(x as Weight).storage === x.storage) return value;
      // These `ops` add something to the weight, which they know by its storage. To a copy they add nothing.
      const copy = copyOf(value, point);
      x.device.own(copy);
      return copy;
    }
    const shape = parts.reduce<Shape>((dims, { axis, places }) => dims.with(axis, places.length), x.shape);
    return putParts(ops, x as F32, parts, replacement(bound, shape, "f32", ops) as F32);
  }
  const whole = (parameter ? ops.effectiveWeight(x as Weight) : x) as Weight;
  const wide = whole.dtype === "f32" ? (whole as F32) : ops.cast(whole, { dtype: "f32" });
  const given = takeParts(ops, wide, parts);
  const made: unknown = action.edit(given, { point, ops });
  if (made === given) return x;
  if (!(made instanceof Tensor) || made.dtype !== "f32")
    throw new HookError(
      `${label}: at ${point.name} the edit returned ${showResult(made)}; expected an f32 tensor [${given.shape}], at once and not later`,
    );
  expectShape(label, point, made, given.shape);
  return putParts(ops, wide, parts, made as F32);
}

function showResult(made: unknown): string {
  if (made instanceof Tensor) return `a tensor of ${made.dtype}`;
  if (made instanceof Promise) return "a promise";
  return made === undefined ? "nothing" : `a value of type ${made === null ? "null" : typeof made}`;
}

/** A copy that belongs to no scope: training changes parameters in place. */
function copyOf(x: Tensor, point: HookPoint): Tensor {
  const copy = x.device.lasting(x.shape, x.dtype, point.name);
  x.device.copyBytes(x, 0, copy, 0, x.bytes);
  return copy;
}

/** What of a source's tensor a hook puts in; empty where it is used as it is. */
function sourceParts({ hook: { action, label }, point, wanted }: BoundHook): Part[] {
  if (action.kind !== "replace") return [];
  const { source } = action;
  const held = source.heldAt?.(point.site, point.layer);
  if (!held) return [];
  return heldParts(point.site, held, wanted, `${label}: ${point.name}`, source.label);
}

function replacement(bound: BoundHook, shape: Shape, dtype: DType, ops: Ops): Tensor {
  const { hook, point } = bound;
  const { action, label } = hook;
  const whole = action.kind === "replace" ? action.source.tensorAt(point.site, point.layer) : undefined;
  if (!whole) throw new HookError(`${label}: the source no longer has ${point.name}`);
  const float = whole.dtype !== "i32" && whole.dtype !== "u32";
  if (!(sites[point.site].parameter ? float : whole.dtype === dtype))
    throw new HookError(`${label}: ${point.name} is ${dtype} in this run and ${whole.dtype} in the source`);
  const parts = sourceParts(bound);
  const value = parts.length > 0 ? takeParts(ops, whole as F32, parts) : whole;
  expectShape(label, point, value, shape);
  return value;
}

function expectShape(label: string, point: HookPoint, value: Tensor, shape: Shape): void {
  if (value.shape.length === shape.length && value.shape.every((dim, i) => dim === shape[i])) return;
  throw new HookError(`${label}: ${point.name} is [${shape}] in this run and its replacement is [${value.shape}]`);
}
