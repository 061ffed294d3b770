import type { Device, Tensor } from "@lethe/tensor";

type Rows = Tensor<readonly [number, number, number, number], "f32">;

/** Sizes of a {@link KVCache}. */
export interface KVCacheShape {
  readonly layers: number;
  /** Sequences, B. */
  readonly batch: number;
  /** Columns that the cache can hold, C: those of the prompts, padding included, and the new ones. */
  readonly capacity: number;
  /** Key heads, G. */
  readonly groups: number;
  /** Width of a head, D. */
  readonly width: number;
}

/** Keys and values of the columns that a model has seen, `[B, C, G, D]` for every layer. All memory is allocated at once and belongs to no scope. */
export class KVCache implements Disposable {
  readonly batch: number;
  readonly capacity: number;
  readonly keys: readonly Rows[];
  readonly values: readonly Rows[];
  /** Columns filled so far. Each forward pass adds its own. */
  length = 0;

  constructor(device: Device, { layers, batch, capacity, groups, width }: KVCacheShape) {
    this.batch = batch;
    this.capacity = capacity;
    using _scope = device.scope("KV cache");
    const allocate = (what: string) =>
      Array.from({ length: layers }, (_, layer) =>
        device.empty([batch, capacity, groups, width], "f32", `${what} cache of layer ${layer}`).retain(),
      );
    this.keys = allocate("key");
    this.values = allocate("value");
  }

  dispose(): void {
    for (const tensor of [...this.keys, ...this.values]) tensor.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}
