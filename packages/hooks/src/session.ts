import { type DType, type F32, type Ops, type Shape, Tensor, type Weight } from "@lethe/tensor";
import { HookError } from "./errors.ts";
import { type Held, placesOf, type Span } from "./held.ts";
import type { Hook, Hooks } from "./hooks.ts";
import { type HookPoint, pointAt, selectPoints } from "./points.ts";
import { columnsOf, putColumns, takeColumns } from "./positions.ts";
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
}

interface BoundHook {
  readonly hook: Hook;
  readonly point: HookPoint;
  /** Columns of the batch; undefined for all. */
  readonly columns: readonly number[] | undefined;
  /** The same columns, or all, counted from the cache's first. */
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
  constructor(hooks: Hooks | undefined, { points, ops, length, cachedColumns = 0, sequences }: Run) {
    this.#ops = ops;
    const every = Array.from({ length }, (_, column) => column);
    for (const hook of hooks?.list ?? []) {
      const columns = hook.positions && columnsOf(hook.positions, length, hook.label);
      const wanted = { columns: (columns ?? every).map((column) => cachedColumns + column), sequences };
      for (const point of selectPoints(points, hook.selector, hook.layers)) {
        const others = this.#bound.get(point.name) ?? [];
        const bound = { hook, point, columns, wanted, fired: false };
        check(bound, others);
        this.#bound.set(point.name, [...others, bound]);
      }
    }
  }

  /** Whether a hook is at this point. Sites that are computed on request are computed then. */
  wants(site: Site, layer: number | null): boolean {
    return this.#bound.has(pointAt(site, layer).name);
  }

  /** The tensor that continues from a hook point: `x` itself where no hook changes it. */
  at<S extends Shape, D extends DType>(site: Site, layer: number | null, x: Tensor<S, D>): Tensor<S, D> {
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
      first?.hook.action.kind === "replace" && !first.columns && !inside.some((other) => this.wants(other, layer));
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
  const { hook, point } = bound;
  const { action, label, positions } = hook;
  if (positions && (sites[point.site].parameter || point.site === "pattern"))
    throw new HookError(`${label}: ${point.name} has no positions to choose from; leave out \`positions\``);
  if (action.kind !== "replace") return;
  if (!action.source.tensorAt(point.site, point.layer))
    throw new HookError(`${label}: ${action.source.label} has no ${point.name}`);
  sourcePlaces(bound);
  const other = others.find(({ hook }) => hook.action.kind === "replace" && !hook.positions);
  if (other && !positions)
    throw new HookError(`${point.name} is replaced twice: by "${other.hook.label}" and by "${label}"`);
}

function apply(bound: BoundHook, x: Tensor, ops: Ops): Tensor {
  const { hook, point, columns, wanted } = bound;
  const { action, label } = hook;
  const { parameter } = sites[point.site];
  if (columns && x.shape.length < 3)
    throw new HookError(`${label}: ${point.name} is [${x.shape}] in this run, rows without positions`);
  if (action.kind === "capture") {
    if (parameter) action.into.put(point, copyOf(ops.effectiveWeight(x as Weight), point));
    else {
      const kept = columns ? takeColumns(ops, x as F32, columns) : x;
      action.into.put(point, kept.retain(), x.shape.length < 3 ? undefined : wanted);
    }
    return x;
  }
  if (action.kind === "replace") {
    if (!columns) {
      const value = replacement(bound, x.shape, x.dtype, ops);
      const same = parameter && value.storage === x.storage;
      if (!same || ops.effectiveWeight(x as Weight).storage === x.storage) return value;
      // These `ops` add something to the weight, which they know by its storage. To a copy they add nothing.
      const copy = copyOf(value, point);
      x.device.own(copy);
      return copy;
    }
    const [sequences, , ...rest] = x.shape as [number, number, ...number[]];
    const value = replacement(bound, [sequences, columns.length, ...rest], "f32", ops);
    return putColumns(ops, x as F32, columns, value as F32);
  }
  const whole = (parameter ? ops.effectiveWeight(x as Weight) : x) as Weight;
  const wide = whole.dtype === "f32" ? (whole as F32) : ops.cast(whole, { dtype: "f32" });
  const given = columns ? takeColumns(ops, wide, columns) : wide;
  const made: unknown = action.edit(given, { point, ops });
  if (made === given) return x;
  if (!(made instanceof Tensor) || made.dtype !== "f32")
    throw new HookError(
      `${label}: at ${point.name} the edit returned ${showResult(made)}; expected an f32 tensor [${given.shape}], at once and not later`,
    );
  expectShape(label, point, made, given.shape);
  return columns ? putColumns(ops, wide, columns, made as F32) : made;
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

/** Where a source's tensor holds the columns that a hook replaces; undefined where it is used as it is. */
function sourcePlaces({ hook: { action, label }, point, wanted }: BoundHook): readonly number[] | undefined {
  if (action.kind !== "replace") return undefined;
  const held = action.source.heldAt?.(point.site, point.layer);
  return held && placesOf(held, wanted, `${label}: ${point.name}`, action.source.label);
}

function replacement(bound: BoundHook, shape: Shape, dtype: DType, ops: Ops): Tensor {
  const { hook, point } = bound;
  const { action, label } = hook;
  const whole = action.kind === "replace" ? action.source.tensorAt(point.site, point.layer) : undefined;
  if (!whole) throw new HookError(`${label}: the source no longer has ${point.name}`);
  const float = whole.dtype !== "i32" && whole.dtype !== "u32";
  if (!(sites[point.site].parameter ? float : whole.dtype === dtype))
    throw new HookError(`${label}: ${point.name} is ${dtype} in this run and ${whole.dtype} in the source`);
  const places = sourcePlaces(bound);
  const value = places ? takeColumns(ops, whole as F32, places) : whole;
  expectShape(label, point, value, shape);
  return value;
}

function expectShape(label: string, point: HookPoint, value: Tensor, shape: Shape): void {
  if (value.shape.length === shape.length && value.shape.every((dim, i) => dim === shape[i])) return;
  throw new HookError(`${label}: ${point.name} is [${shape}] in this run and its replacement is [${value.shape}]`);
}
