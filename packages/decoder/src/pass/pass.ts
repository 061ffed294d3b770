import type { HookSession, Hooks } from "@lethe/hooks";
import type { F32, Ops, Shape, Tensor } from "@lethe/tensor";
import type { Batch } from "./batch.ts";
import type { KVCache } from "./cache.ts";

/** Options of a forward pass. */
export interface ForwardOptions {
  /** The operations that compute the pass. Default: the kernels. A tape keeps the tensors that its gradients need, although the pass releases them. */
  readonly ops?: Ops;
  readonly hooks?: Hooks;
  /** Keys and values of earlier columns; those of this batch are written into it. */
  readonly cache?: KVCache;
  /**
   * Rows of the batch (see `Batch.row`) whose logits are computed, `[R]`: the result is then `[R, V]`, or `[R, d]` where the pass goes up to
   * `resid`. Where they are few, the last block computes little more than them. Default: all.
   */
  readonly rows?: Tensor<Shape, "u32">;
  /** The layer to start at, on `resid`; the number of layers computes the logits alone. Default: the embedding and all layers. */
  readonly fromLayer?: number;
  /** The residual stream `[B, T, d]` that enters `fromLayer`: what a hook captures at `resid_pre` of that layer. */
  readonly resid?: F32;
  /** Called for each block in place of `run(x)`, such as to checkpoint activations. It must return what `run(x)` returns. */
  readonly wrapBlock?: (layer: number, x: F32, run: (x: F32) => F32) => F32;
  /** `resid` stops at the residual stream after the last block, a layer's number at the one that enters it. Default: `logits`. */
  readonly upTo?: "logits" | "resid" | number;
}

/** What the parts of a model share during one forward pass. */
export interface Pass {
  readonly ops: Ops;
  readonly hooks: HookSession;
  readonly batch: Batch;
  readonly cache: KVCache | undefined;
  /** Rotary table `[P, D]`. */
  readonly rotary: F32;
  /** Runs a part of a block in a scope of its own. */
  scoped(label: string, work: () => F32): F32;
}
