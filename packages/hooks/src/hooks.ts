import { type F32, type Ops, Tensor } from "@lethe/tensor";
import type { Captures, TensorSource } from "./captures.ts";
import type { HookPoint, PointSelector } from "./points.ts";

/** Narrows a hook down. */
export interface Where {
  /** Layers from 0. Default: every layer of the run. */
  readonly layers?: readonly number[];
  /** Columns of the batch, left padding counted; −1 is the last. Default: all. */
  readonly positions?: readonly number[];
}

/** What an edit is given beside the tensor. `ops` records for a gradient where the run does. */
export interface EditContext {
  readonly point: HookPoint;
  readonly ops: Ops;
}

/** Gives what takes the tensor's place, of the same shape; the tensor itself for no change. Parameters come widened to f32. */
export type Edit = (x: F32, context: EditContext) => F32;

/** What a hook does at its points. */
export type Action =
  | { readonly kind: "capture"; readonly into: Captures }
  | { readonly kind: "edit"; readonly edit: Edit }
  | { readonly kind: "replace"; readonly source: TensorSource };

/** One entry of {@link Hooks}. */
export interface Hook extends Where {
  /** What it does, for errors: `restore m`. */
  readonly label: string;
  readonly selector: PointSelector;
  readonly action: Action;
}

/**
 * A list of interventions, applied at each point in the order they were added. Every method gives a new list and leaves
 * this one as it is, so a list can be shared and built upon.
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
   * Keeps what passes a point, without a copy; a parameter, which training may change, is copied. With `positions` the
   * captured tensor has those alone: `[B, P, …]`.
   */
  capture(selector: PointSelector, into: Captures, where: Where = {}): Hooks {
    return this.#with("capture", selector, { kind: "capture", into }, where);
  }

  /** Puts `value` in the place of what passes: of the same shape, or `[B, P, …]` with `positions`. */
  replace(selector: PointSelector, value: Tensor, where: Where = {}): Hooks {
    const source: TensorSource = { label: value.label, tensorAt: () => value };
    return this.#with("replace", selector, { kind: "replace", source }, where);
  }

  /** Adds a tensor that broadcasts to what passes (a steering vector `[d]`), or a number. */
  add(selector: PointSelector, value: F32 | number, where: Where = {}): Hooks {
    const edit: Edit = (x, { ops }) => (value instanceof Tensor ? ops.add(x, value) : ops.affine(x, { offset: value }));
    return this.#with("add to", selector, { kind: "edit", edit }, where);
  }

  /** Multiplies by a number; 0 ablates. */
  scale(selector: PointSelector, factor: number, where: Where = {}): Hooks {
    const edit: Edit = (x, { ops }) => ops.affine(x, { factor });
    return this.#with("scale", selector, { kind: "edit", edit }, where);
  }

  /** Puts what `edit` makes of it in the place of what passes. With `positions`, `edit` is given and gives those alone. */
  edit(selector: PointSelector, edit: Edit, where: Where = {}): Hooks {
    return this.#with("edit", selector, { kind: "edit", edit }, where);
  }

  /**
   * Puts a site back to what it was elsewhere, in some layers: activations captured in a run of the vanilla model on the same
   * tokens, or, for `W_V`, the vanilla model itself. The two are one mechanism.
   */
  restore(
    site: PointSelector,
    layers: readonly number[],
    source: TensorSource,
    where: Omit<Where, "layers"> = {},
  ): Hooks {
    return this.#with("restore", site, { kind: "replace", source }, { ...where, layers });
  }

  /** Holds a site at given values in some layers, so that what is restored elsewhere does not leak through it. */
  freeze(site: PointSelector, layers: readonly number[], source: TensorSource): Hooks {
    return this.#with("freeze", site, { kind: "replace", source }, { layers });
  }

  #with(verb: string, selector: PointSelector, action: Action, where: Where): Hooks {
    const label = `${verb} ${typeof selector === "function" ? "the points chosen" : selector}`;
    return new Hooks([...this.list, { ...where, label, selector, action }]);
  }
}
