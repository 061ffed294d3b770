import type { Tensor } from "@lethe/tensor";
import { HookError } from "./errors.ts";
import { type HookPoint, parsePoint, pointAt } from "./points.ts";
import type { Site } from "./sites.ts";

/** Where restored values come from: what a run captured, or the parameters of another model. */
export interface TensorSource {
  /** What to call it in an error. */
  readonly label: string;
  /** The tensor at a hook point, still owned by the source; `undefined` where it has none. */
  tensorAt(site: Site, layer: number | null): Tensor | undefined;
}

/**
 * Tensors that hooks captured. They belong to this object and to no scope: `using captures = new Captures()`, or `dispose()`.
 * A point that is captured again replaces what an earlier run left there.
 */
export class Captures implements TensorSource {
  readonly label: string;
  readonly #tensors = new Map<string, { point: HookPoint; tensor: Tensor }>();

  constructor(label = "captures") {
    this.label = label;
  }

  /** Takes a tensor over. */
  put(point: HookPoint, tensor: Tensor): void {
    this.#tensors.get(point.name)?.tensor.dispose();
    this.#tensors.set(point.name, { point, tensor });
  }

  /**
   * The tensor captured at a point, by site and layer or by the point's name or alias. It stays owned by this object.
   * @throws {HookError} when there is none, naming what there is.
   */
  get(name: Site | (string & {}), layer?: number): Tensor {
    const point = layer === undefined ? parsePoint(name) : pointAt(name as Site, layer);
    const found = point && this.#tensors.get(point.name)?.tensor;
    if (found) return found;
    const wanted = layer === undefined ? name : `${name} of layer ${layer}`;
    throw new HookError(
      `${this.label}: ${wanted} was not captured; there is ${[...this.#tensors.keys()].join(", ") || "nothing"}`,
    );
  }

  tensorAt(site: Site, layer: number | null): Tensor | undefined {
    return this.#tensors.get(pointAt(site, layer).name)?.tensor;
  }

  /** Points that were captured, in the order in which they first were. */
  points(): HookPoint[] {
    return [...this.#tensors.values()].map(({ point }) => point);
  }

  /** Releases every captured tensor. */
  dispose(): void {
    for (const { tensor } of this.#tensors.values()) tensor.dispose();
    this.#tensors.clear();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}
