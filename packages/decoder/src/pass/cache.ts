import { type Device, type MemoryNeed, ops, type Tensor } from "@lethe/tensor";

type Rows = Tensor<readonly [number, number, number, number], "f32">;

/** Sizes of a {@link KVCache}. */
export interface KVCacheShape {
  readonly layers: number;
  /** Sequences, B. */
  readonly batch: number;
  /** The most columns that the cache may hold: those of the prompts, padding included, and the new ones. */
  readonly capacity: number;
  /** Key heads, G. */
  readonly groups: number;
  /** Width of a head, D. */
  readonly width: number;
}

/** A cache has room for at least so many columns, or for its capacity. */
const leastRoom = 256;

/** Room is a multiple of so many columns, so that each sequence begins at an aligned byte. */
const roomStep = 64;

/**
 * Keys and values of the columns that a model has seen, `[B, C, G, D]` for every layer. The room C grows with the columns, to twice
 * what is needed and at most to the capacity. The memory belongs to no scope.
 */
export class KVCache implements Disposable {
  readonly batch: number;
  readonly capacity: number;
  readonly keys: readonly Rows[];
  readonly values: readonly Rows[];
  /** Columns filled so far. Each forward pass adds its own. */
  length = 0;
  readonly #device: Device;

  constructor(device: Device, { layers, batch, capacity, groups, width }: KVCacheShape) {
    this.#device = device;
    this.batch = batch;
    this.capacity = capacity;
    const without = (what: string) =>
      Array.from({ length: layers }, (_, layer) =>
        device.lasting([batch, 0, groups, width], "f32", `${what} cache of layer ${layer}`),
      );
    this.keys = without("key");
    this.values = without("value");
  }

  /** Makes room for so many columns in all, up to the capacity. */
  reserve(columns: number): void {
    for (const list of [this.keys, this.values] as Rows[][])
      for (const [layer, rows] of list.entries()) if (rows.shape[1] < columns) list[layer] = this.#grown(rows, columns);
  }

  /**
   * Takes over sequences of another cache, each with its first tokens, so that all end at one column. This cache must be empty.
   * @param sequences where each is in the other cache: its number, the column of its first token, and how many tokens it has
   * @param columns where they end
   */
  take(
    other: KVCache,
    sequences: readonly { readonly from: number; readonly start: number; readonly length: number }[],
    columns: number,
  ): void {
    const device = this.#device;
    this.reserve(columns);
    using _columns = device.scope("moved columns");
    const room = other.keys[0]!.shape[1];
    const index = sequences.flatMap(({ from, start, length }) =>
      // What comes before a sequence is padding, which nobody reads: any column will do.
      Array.from({ length: columns }, (_, c) => from * room + start + Math.max(0, c - (columns - length))),
    );
    const rows = device.tensor(index, [index.length], "u32", "moved columns");
    for (const name of ["keys", "values"] as const)
      for (const [layer, target] of this[name].entries()) {
        using _ = device.scope("a layer's moved cache");
        const [, , groups, width] = target.shape;
        const all = other[name][layer]!;
        const taken = ops.gatherRows(all.reshape([all.shape[0] * room, groups, width]), rows);
        ops.writeCache(target, taken.reshape([this.batch, columns, groups, width]), { at: 0 });
      }
    this.length = columns;
  }

  dispose(): void {
    for (const tensor of [...this.keys, ...this.values]) tensor.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  #grown(rows: Rows, columns: number): Rows {
    const [batch, room, groups, width] = rows.shape;
    const more = roomFor(Math.min(this.capacity, Math.max(leastRoom, 2 * columns)));
    const larger = this.#device.lasting([batch, more, groups, width], "f32", rows.label);
    const column = 4 * groups * width;
    for (let b = 0; b < batch && this.length > 0; b++)
      this.#device.copyBytes(rows, b * room * column, larger, b * more * column, this.length * column);
    rows.dispose();
    // No later buffer has the size of the old one, so the pool would keep it for nothing.
    if (room > 0) this.#device.trim();
    return larger;
  }
}

function roomFor(columns: number): number {
  return Math.ceil(columns / roomStep) * roomStep;
}

/** The memory of a cache that is filled to its capacity. */
export function cacheMemory({ layers, batch, capacity, groups, width }: KVCacheShape): MemoryNeed[] {
  const part = "KV cache";
  const bytesOf = (columns: number) => 4 * batch * roomFor(columns) * groups * width;
  const needs = Array.from({ length: layers }, (_, layer) =>
    ["keys", "values"].map((what) => ({ part, name: `${what} of layer ${layer}`, bytes: bytesOf(capacity) })),
  ).flat();
  // A layer that grows has its room twice for a moment.
  return capacity > leastRoom ? [...needs, { part, name: "room to grow", bytes: bytesOf(capacity) }] : needs;
}
