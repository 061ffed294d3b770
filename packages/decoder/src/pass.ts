import type { HookSession, Hooks } from "@lethe/hooks";
import type { F32, Ops, Shape, Tensor } from "@lethe/tensor";
import type { Batch } from "./batch.ts";
import type { KVCache } from "./kv-cache.ts";

/** What a forward pass is asked for. */
export interface ForwardOptions {
  /** What computes. Default: the kernels. A tape's `ops` hold what gradients need; the pass releases its tensors all the same. */
  readonly ops?: Ops;
  readonly hooks?: Hooks;
  /** Keys and values of earlier columns; those of this batch are written into it. */
  readonly cache?: KVCache;
  /** Rows of the batch (see `Batch.row`) whose logits are wanted, `[R]`: the result is then `[R, V]`. */
  readonly rows?: Tensor<Shape, "u32">;
  /** First layer to run, on `resid`. */
  readonly fromLayer?: number;
  /** Residual stream `[B, T, d]` that enters `fromLayer`, as its hook point `resid_pre` gives it. */
  readonly resid?: F32;
  /** Runs each block in the caller's way, such as with checkpointed activations. It gives what `run` gives. */
  readonly wrapBlock?: (layer: number, x: F32, run: (x: F32) => F32) => F32;
  /** `resid`: stop at the residual stream after the last block. Default: `logits`. */
  readonly upTo?: "logits" | "resid";
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
