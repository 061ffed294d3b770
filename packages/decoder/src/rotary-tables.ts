import { type Device, type F32, ropeTable } from "@lethe/tensor";
import { dependsOnLength, inverseFrequencies, type Rope } from "./rope.ts";

/** A model's rotary tables `[P, D]`, made when a run first needs that many positions. They belong to no scope. */
export class RotaryTables implements Disposable {
  readonly #device: Device;
  readonly #rope: Rope;
  readonly #kept = new Map<number, F32>();

  constructor(device: Device, rope: Rope) {
    this.#device = device;
    this.#rope = rope;
  }

  /** Whether a run of that many positions needs a table that no other length can use. */
  ownAt(length: number): boolean {
    return dependsOnLength(this.#rope, length);
  }

  /**
   * The table for a run. It stays until the model is disposed of, because a recorded pass may still read it. Where lengths share
   * their frequencies tables double in size, so that there are few.
   */
  kept(length: number): F32 {
    const positions = this.ownAt(length) ? length : Math.max(128, 2 ** Math.ceil(Math.log2(length)));
    const known = this.#kept.get(positions);
    if (known) return known;
    const table = this.#make(positions, length);
    this.#kept.set(positions, table);
    return table;
  }

  /** A table that belongs to the caller: for generation, where each new token has a length of its own. */
  fresh(length: number): F32 {
    return this.#make(length, length);
  }

  dispose(): void {
    for (const table of this.#kept.values()) table.dispose();
    this.#kept.clear();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  #make(positions: number, length: number): F32 {
    using _scope = this.#device.scope("rotary table");
    return ropeTable(this.#device, { positions, inverseFrequencies: inverseFrequencies(this.#rope, length) }).retain();
  }
}
