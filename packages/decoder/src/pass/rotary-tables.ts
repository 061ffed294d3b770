import { type Device, type F32, type MemoryNeed, ropeTable } from "@lethe/tensor";
import { attentionFactor, dependsOnLength, inverseFrequencies, type Rope } from "./rope.ts";

/** Tables kept at a time. Lengths share them, but for those of dynamic scaling. */
const mostKept = 24;

/** A model's rotary tables `[P, D]`. Each is made when a run first needs it, and belongs to no scope. */
export class RotaryTables {
  readonly #device: Device;
  readonly #rope: Rope;
  readonly #kept = new Map<number, F32>();

  constructor(device: Device, rope: Rope) {
    this.#device = device;
    this.#rope = rope;
  }

  /** Whether a run of this many positions needs a table that no other length can use. */
  ownAt(length: number): boolean {
    return dependsOnLength(this.#rope, length);
  }

  /**
   * The table for a run, kept for the next ones of its length; a tape holds it by a handle of its own. Lengths with the same frequencies
   * share a table; the number of positions is rounded up to a power of two, so that there are few tables. The one that was made first goes
   * where there are too many.
   */
  kept(length: number): F32 {
    const positions = this.ownAt(length) ? length : sharedPositions(length);
    const known = this.#kept.get(positions);
    if (known) return known;
    const table = this.fresh(length, positions);
    this.#kept.set(positions, table);
    const [oldest] = this.#kept;
    if (this.#kept.size > mostKept) {
      oldest![1].dispose();
      this.#kept.delete(oldest![0]);
    }
    return table;
  }

  /** A table that belongs to the caller: for generation, where each new token makes a new length. */
  fresh(length: number, positions = length): F32 {
    using _scope = this.#device.scope("rotary table");
    return ropeTable(this.#device, {
      positions,
      inverseFrequencies: inverseFrequencies(this.#rope, length),
      scale: attentionFactor(this.#rope),
    }).retain();
  }

  /** The memory of the tables that runs of `from` to `to` positions need beside those that are kept already. */
  memory(from: number, to: number): MemoryNeed[] {
    const needs: MemoryNeed[] = [];
    const need = (positions: number) => {
      const bytes = this.#device.pool.sizeOf(4 * positions * this.#rope.head_dim);
      needs.push({ part: "rotary tables", name: `${positions} positions`, bytes });
    };
    for (let positions = sharedPositions(from); positions <= sharedPositions(to); positions *= 2)
      if (!this.#kept.has(positions) && !this.ownAt(positions)) need(positions);
    if (this.ownAt(to)) need(to);
    return needs;
  }

  dispose(): void {
    for (const table of this.#kept.values()) table.dispose();
    this.#kept.clear();
  }
}

function sharedPositions(length: number): number {
  return Math.max(128, 2 ** Math.ceil(Math.log2(length)));
}
