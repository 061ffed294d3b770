import type { F32, Tensor } from "@lethe/tensor";
import { HookError } from "./errors.ts";
import type { Held } from "./held.ts";
import { type HookPoint, parsePoint, pointAt } from "./points.ts";
import type { Site } from "./sites.ts";

/** A source of restored values: the captures of a run, or the parameters of another model. */
export interface TensorSource {
  /** Its name in errors. */
  readonly label: string;
  /** The tensor at a hook point, or `undefined`. It stays owned by the source. */
  tensorAt(site: Site, layer: number | null): Tensor | undefined;
  /** The columns that the tensor at a hook point holds, which hooks compare with those of their run. Absent for parameters. */
  heldAt?(site: Site, layer: number | null): Held | undefined;
}

/** The tensor under a name: an activation is f32; only W_V, a parameter, keeps the dtype that it has in its model. */
export type Captured<N extends string> = string extends N ? Tensor : N extends "W_V" | `W_V.${number}` ? Tensor : F32;

interface Entry {
  readonly point: HookPoint;
  readonly tensor: Tensor;
  readonly held: Held | undefined;
}

/**
 * Tensors that hooks captured. They belong to this object and to no scope: `using captures = new Captures()`, or `dispose()`.
 * A point that is captured again replaces the tensor of the earlier run.
 */
export class Captures implements TensorSource {
  readonly label: string;
  readonly #tensors = new Map<string, Entry>();

  constructor(label = "captures") {
    this.label = label;
  }

  /**
   * Stores a tensor, which now belongs to this object.
   * @param held its columns; without them a hook compares only shapes when it restores the tensor
   */
  put(point: HookPoint, tensor: Tensor, held?: Held): void {
    this.#tensors.get(point.name)?.tensor.dispose();
    this.#tensors.set(point.name, { point, tensor, held });
  }

  /**
   * The tensor captured at a point, by site and layer or by the point's name or alias. It stays owned by this object.
   * @throws {HookError} when there is none. The message lists the points that were captured.
   */
  get<const N extends Site | (string & {})>(name: N, layer?: number): Captured<N> {
    const point = layer === undefined ? parsePoint(name) : pointAt(name as Site, layer);
    const found = point && this.#tensors.get(point.name)?.tensor;
    if (found) return found as Captured<N>;
    const wanted = layer === undefined ? name : `${name} of layer ${layer}`;
    throw new HookError(
      `${this.label}: ${wanted} was not captured; the captured points are ${[...this.#tensors.keys()].join(", ") || "none"}`,
    );
  }

  tensorAt(site: Site, layer: number | null): Tensor | undefined {
    return this.#tensors.get(pointAt(site, layer).name)?.tensor;
  }

  heldAt(site: Site, layer: number | null): Held | undefined {
    return this.#tensors.get(pointAt(site, layer).name)?.held;
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
