import type { Tensor } from "@lethe/tensor";
import { HookError } from "./errors.ts";
import { type HookPoint, parsePoint, pointAt } from "./points.ts";
import type { Site } from "./sites.ts";

/** A source of restored values: the captures of a run, or the parameters of another model. */
export interface TensorSource {
  /** Its name in errors. */
  readonly label: string;
  /** The tensor at a hook point, or `undefined`. It stays owned by the source. */
  tensorAt(site: Site, layer: number | null): Tensor | undefined;
}

/**
 * Tensors that hooks captured. They belong to this object and to no scope: `using captures = new Captures()`, or `dispose()`.
 * A point that is captured again replaces the tensor of the earlier run.
 */
export class Captures implements TensorSource {
  readonly label: string;
  readonly #tensors = new Map<string, { point: HookPoint; tensor: Tensor }>();

  constructor(label = "captures") {
    this.label = label;
  }

  /** Stores a tensor, which now belongs to this object. */
  put(point: HookPoint, tensor: Tensor): void {
    this.#tensors.get(point.name)?.tensor.dispose();
    this.#tensors.set(point.name, { point, tensor });
  }

  /**
   * The tensor captured at a point, by site and layer or by the point's name or alias. It stays owned by this object.
   * @throws {HookError} when there is none. The message lists the points that were captured.
   */
  get(name: Site | (string & {}), layer?: number): Tensor {
    const point = layer === undefined ? parsePoint(name) : pointAt(name as Site, layer);
    const found = point && this.#tensors.get(point.name)?.tensor;
    if (found) return found;
    const wanted = layer === undefined ? name : `${name} of layer ${layer}`;
    throw new HookError(
      `${this.label}: ${wanted} was not captured; the captured points are ${[...this.#tensors.keys()].join(", ") || "none"}`,
    );
  }

  tensorAt(site: Site, layer: number | null): Tensor | undefined {
    return this.#tensors.get(pointAt(site, layer).name)?.tensor;
  }

  /** The captured points, in the order of their first capture. */
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
