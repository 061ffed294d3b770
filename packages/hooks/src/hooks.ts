import { type F32, type Ops, Tensor } from "@lethe/tensor";
import type { Captures, TensorSource } from "./captures.ts";
import { HookError } from "./errors.ts";
import { type HookPoint, type PointSelector, showSelector } from "./points.ts";

/** Restricts a hook to some layers, positions or heads. */
export interface Where {
  /** Layers from 0. Default: every layer of the run. */
  readonly layers?: readonly number[];
  /** Columns of the batch, left padding counted; −1 is the last. Default: all. */
  readonly positions?: readonly number[];
  /** Heads from 0, at sites that have heads: query heads, or key heads at `k`, `rot_k` and `v`. Default: all. */
  readonly heads?: readonly number[];
}

/** What an edit receives with the tensor. `ops` are those of the run, so they record gradients where the run does. */
export interface EditContext {
  readonly point: HookPoint;
  readonly ops: Ops;
}

/** Returns the tensor that replaces `x`, of the same shape, or `x` itself for no change. Parameters come widened to f32. */
export type Edit = (x: F32, context: EditContext) => F32;

/** What a hook does at its points. */
export type Action =
  | { readonly kind: "capture"; readonly into: Captures }
  | { readonly kind: "edit"; readonly edit: Edit }
  | { readonly kind: "replace"; readonly source: TensorSource };

/** One entry of {@link Hooks}. */
export interface Hook extends Where {
  /** Its action in words, for errors: `restore m`. */
  readonly label: string;
  readonly selector: PointSelector;
  readonly action: Action;
}

/**
 * A list of interventions. At each point they apply in the order in which they were added. Every method returns a new list and does
 * not change this one, so a list can be shared.
 *
 * ```ts
 * using seen = new Captures();
 * const hooks = new Hooks().restore("m", [9, 10, 11], vanilla).capture("resid_post", seen, { layers: [11] });
 * model.forward(batch, { hooks });
 * ```
 */
export class Hooks {
  readonly list: readonly Hook[];

  constructor(list: readonly Hook[] = []) {
    this.list = list;
  }

  /**
   * Keeps the tensor at a point, without a copy. A parameter is copied, because training may change it. With `positions` or `heads` the
   * captured tensor has only those: `[B, P, …]`.
   */
  capture(selector: PointSelector, into: Captures, where: Where = {}): Hooks {
    return this.#with("capture", selector, { kind: "capture", into }, where);
  }

  /** Replaces the tensor at a point by `value`, of the same shape, or of the shape of the `positions` and `heads`: `[B, P, …]`. */
  replace(selector: PointSelector, value: Tensor, where: Where = {}): Hooks {
    if (!(value instanceof Tensor))
      throw new HookError(`replace ${showSelector(selector)}: expected a tensor as the value`);
    const source: TensorSource = { label: value.label, tensorAt: () => value };
    return this.#with("replace", selector, { kind: "replace", source }, where);
  }

  /** Adds a number, or a tensor that broadcasts to the one at the point, such as a steering vector `[d]`. */
  add(selector: PointSelector, value: F32 | number, where: Where = {}): Hooks {
    const edit: Edit = (x, { ops }) => (value instanceof Tensor ? ops.add(x, value) : ops.affine(x, { offset: value }));
    return this.#with("add to", selector, { kind: "edit", edit }, where);
  }

  /** Multiplies by a number; 0 ablates. */
  scale(selector: PointSelector, factor: number, where: Where = {}): Hooks {
    const edit: Edit = (x, { ops }) => ops.affine(x, { factor });
    return this.#with("scale", selector, { kind: "edit", edit }, where);
  }

  /** Replaces the tensor at a point by the result of `edit`. With `positions` or `heads`, `edit` receives and returns only those. */
  edit(selector: PointSelector, edit: Edit, where: Where = {}): Hooks {
    return this.#with("edit", selector, { kind: "edit", edit }, where);
  }

  /**
   * Replaces a site in some layers by its values in another run or model: activations captured in a run of the vanilla model on
   * sequences padded alike, or, for `W_V`, the vanilla model itself. The two are one mechanism. With `positions` or `heads`, those are
   * taken from the capture; a capture that does not hold one of them is an error before the run.
   */
  restore(
    site: PointSelector,
    layers: readonly number[],
    source: TensorSource,
    where: Omit<Where, "layers"> = {},
  ): Hooks {
    return this.#with("restore", site, { kind: "replace", source }, { ...where, layers });
  }

  /** Holds a site at given values in some layers, so that what other hooks restore does not pass through it. */
  freeze(site: PointSelector, layers: readonly number[], source: TensorSource): Hooks {
    return this.#with("freeze", site, { kind: "replace", source }, { layers });
  }

  #with(verb: string, selector: PointSelector, action: Action, where: Where): Hooks {
    const label = `${verb} ${showSelector(selector)}`;
    checkHook(label, selector, action, where);
    return new Hooks([...this.list, { ...where, label, selector, action }]);
  }
}

/** Finds what TypeScript finds, for callers from JavaScript. */
function checkHook(label: string, selector: unknown, action: Action, { layers, positions, heads }: Where): void {
  const expectKind = (fits: boolean, what: string) => {
    if (!fits) throw new HookError(`${label}: expected ${what}`);
  };
  const isList = (given: unknown) => given === undefined || Array.isArray(given);
  expectKind(
    typeof selector === "string" || typeof selector === "function" || selector instanceof RegExp,
    "a site, a point's name, a pattern of names or a test of points",
  );
  expectKind(isList(layers), "`layers` to be an array of numbers");
  expectKind(isList(positions), "`positions` to be an array of numbers");
  expectKind(isList(heads), "`heads` to be an array of numbers");
  if (action.kind === "edit") expectKind(typeof action.edit === "function", "a function that returns a tensor");
  if (action.kind === "capture") expectKind(typeof action.into?.put === "function", "Captures to capture into");
  if (action.kind === "replace")
    expectKind(typeof action.source?.tensorAt === "function", "captures or a model as the source");
}
