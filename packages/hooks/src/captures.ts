import { type F32, ops as kernels, type Ops, type Tensor } from "@lethe/tensor";
import { HookError } from "./errors.ts";
import { type Held, heldParts } from "./held.ts";
import { checkHeads, columnsOf, takeParts } from "./parts.ts";
import { type HookPoint, parsePoint, pointAt } from "./points.ts";
import { type Site, sites } from "./sites.ts";

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

/** A part of a captured activation. Default: all of it. */
export interface Selection {
  readonly layer?: number;
  /** Columns of the run, left padding counted; −1 is the last. */
  readonly positions?: readonly number[];
  /** Heads from 0, at sites that have heads. */
  readonly heads?: readonly number[];
  /** Sequences of the batch, from 0. */
  readonly sequences?: readonly number[];
  /** What computes it. Default: the kernels. */
  readonly ops?: Ops;
}

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

  /**
   * A part of an activation that was captured: at some positions of its run, some heads, some sequences. Each keeps its axis, `[B, P, …]`.
   * It belongs to the innermost open scope, or to the caller, and takes no memory of its own where it is the whole.
   * @param where `layer` where the name does not say it; `positions` are columns of the run, −1 its last
   * @throws {HookError} when that was not captured, or the site has no such axis
   */
  select(name: Site | (string & {}), where: Selection = {}): F32 {
    const { layer, positions, heads, sequences, ops = kernels } = where;
    const tensor = this.get(name, layer);
    const point = layer === undefined ? parsePoint(name)! : pointAt(name as Site, layer);
    const what = `select of ${point.name}`;
    const held = this.heldAt(point.site, point.layer);
    const { headAxis } = sites[point.site];
    if (positions && (!held || held.rows))
      throw new HookError(`${what}: it was captured without positions, as [${tensor.shape}]`);
    if (heads && headAxis === undefined) throw new HookError(`${what}: it has no heads`);
    if (heads && !held?.heads) checkHeads(heads, tensor.shape[headAxis!]!, what);
    const columns = positions && columnsOf(positions, held!.end, what);
    const wanted = held && { ...held, ...(columns && { columns }), ...(heads && { heads }) };
    const parts = wanted ? heldParts(point.site, held, wanted, what, this.label) : [];
    for (const b of sequences ?? [])
      if (!(Number.isInteger(b) && b >= 0 && b < tensor.shape[0]!))
        throw new HookError(`${what}: sequence ${b} was asked for, and there are ${tensor.shape[0]}`);
    const chosen = sequences ? [{ axis: 0, places: sequences }, ...parts] : parts;
    return chosen.length > 0 ? takeParts(ops, tensor as F32, chosen) : (tensor.reshape(tensor.shape) as F32);
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
