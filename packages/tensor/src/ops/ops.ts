import type { FloatDType } from "../dtype.ts";
import type {
  Broadcast,
  BroadcastFits,
  Last,
  LinearFits,
  LinearShape,
  MatmulFits,
  MatmulShape,
  SameShape,
  Shape,
  Transposed,
} from "../shape.ts";
import type { Tensor } from "../tensor.ts";

/** What operations compute on. */
export type F32<S extends Shape = Shape> = Tensor<S, "f32">;
/** What weights may be stored as. */
export type Weight<S extends Shape = Shape> = Tensor<S, FloatDType>;

/** Options of {@link DifferentiableOps.attention}. */
export interface AttentionOptions {
  /** Index of the first real key of each sequence `[B]`; what lies before it is left padding. */
  readonly starts?: Tensor<Shape, "u32">;
  /** Keys in use, when `k` and `v` are caches with room to spare. Default: all of them. The last query sees the last key. */
  readonly length?: number;
  /** Default: 1/√D. */
  readonly scale?: number;
}

/** How a loss over tokens is summed up. `none`: per token. `sequence`: summed over the last axis of the labels. `mean`: over all tokens that count. */
export type Reduction = "none" | "sequence" | "mean";

/**
 * The operations that have a gradient: autograd has a rule for each. Every method takes its tensors first and its options last, and
 * gives one new tensor. Arithmetic is f32; weights may be packed f16 or bf16. Wrong shapes or dtypes throw a `ShapeError` that names
 * the operation.
 */
export interface DifferentiableOps {
  /** `a @ b` over the last two axes, with leading axes broadcast when equal or when `b` is a matrix: `[…, M, K] @ […, K, N]`. */
  matmul<A extends Shape, B extends Shape, TA extends boolean = false, TB extends boolean = false>(
    a: F32<A>,
    b: Weight<B> & MatmulFits<Transposed<A, TA>, Transposed<B, TB>>,
    options?: { readonly transposeA?: TA; readonly transposeB?: TB },
  ): F32<MatmulShape<Transposed<A, TA>, Transposed<B, TB>>>;
  /** `x Wᵀ` with a weight as Hugging Face stores it, `[out, in]`. */
  linear<X extends Shape, W extends Shape>(x: F32<X>, weight: Weight<W> & LinearFits<X, W>): F32<LinearShape<X, W>>;
  /** Rows of a table `[V, d]` by index `[…]`: `[…, d]`. */
  embedding<T extends Shape, I extends Shape>(table: Weight<T>, ids: Tensor<I, "u32">): F32<[...I, Last<T>]>;

  /** `x / √(mean(x²) + eps) · weight` over the last axis (Zhang & Sennrich 2019). */
  rmsNorm<S extends Shape>(x: F32<S>, weight: Weight | null, options: { readonly eps: number }): F32<S>;
  /** `(x − mean) / √(var + eps) · weight + bias` over the last axis (Ba et al. 2016); without parameters in OLMo-1. */
  layerNorm<S extends Shape>(
    x: F32<S>,
    weight: Weight | null,
    bias: Weight | null,
    options: { readonly eps: number },
  ): F32<S>;
  /**
   * Rotary position embedding (Su et al. 2021) in the half-split layout of Hugging Face.
   * @param x `[B, T, H, D]`
   * @param table `[P, D]`: for each position D/2 cosines, then D/2 sines
   * @param positions `[B, T]`
   * @param options `inverse` turns the other way, which is also the gradient
   */
  rope<S extends Shape>(
    x: F32<S>,
    table: F32,
    positions: Tensor<Shape, "u32">,
    options?: { readonly inverse?: boolean },
  ): F32<S>;
  /**
   * Causal softmax attention, `q [B, T, H, D]` over `k, v [B, S, G, D]` with `H / G` query heads to a key head, giving
   * `[B, T, H, D]`. Scores are never stored. A query left of its sequence's start gives zeros.
   */
  attention<S extends Shape>(q: F32<S>, k: F32, v: F32, options?: AttentionOptions): F32<S>;
  /** The pattern of {@link attention}, `[B, H, T, L]` over the L keys in use: the weight that each query gives to each key. */
  attentionPattern(q: F32, k: F32, options?: AttentionOptions): F32;
  /** Values `[B, S, G, D]` mixed by a pattern `[B, H, T, L]`, L ≤ S: `[B, T, H, D]`. With the pattern above it agrees with {@link attention}. */
  attendWithPattern(pattern: F32, v: F32): F32;
  /** `silu(gate) · up` (Shazeer 2020). */
  swiglu<S extends Shape>(gate: F32<S>, up: F32<S>): F32<S>;

  add<A extends Shape, B extends Shape>(a: F32<A>, b: F32<B> & BroadcastFits<A, B>): F32<Broadcast<A, B>>;
  sub<A extends Shape, B extends Shape>(a: F32<A>, b: F32<B> & BroadcastFits<A, B>): F32<Broadcast<A, B>>;
  mul<A extends Shape, B extends Shape>(a: F32<A>, b: F32<B> & BroadcastFits<A, B>): F32<Broadcast<A, B>>;
  div<A extends Shape, B extends Shape>(a: F32<A>, b: F32<B> & BroadcastFits<A, B>): F32<Broadcast<A, B>>;
  /** `x · factor + offset` with plain numbers. */
  affine<S extends Shape>(x: F32<S>, options: { readonly factor?: number; readonly offset?: number }): F32<S>;
  /** A function of each element. */
  unary<S extends Shape>(x: F32<S>, options: { readonly kind: UnaryKind }): F32<S>;
  /** Each element limited to `[min, max]` (OLMo's `clip_qkv`). */
  clamp<S extends Shape>(x: F32<S>, options: { readonly min: number; readonly max: number }): F32<S>;

  /** Over the last axis, with the row's maximum taken off first. */
  softmax<S extends Shape>(x: F32<S>): F32<S>;
  /** Over the last axis. */
  logSoftmax<S extends Shape>(x: F32<S>): F32<S>;
  /** `−log softmax(logits)[label]`; `logits […, V]`, `labels […]`; label −100 does not count. No shift is applied. */
  crossEntropy(logits: F32, labels: Tensor<Shape, "i32">, options: { readonly reduction: Reduction }): F32;
  /**
   * `KL(softmax(reference) ‖ softmax(logits))` of each row `[…, V]`. Rows whose label is −100 do not count.
   * The gradient goes to `logits` alone.
   */
  klDivergence(
    reference: F32,
    logits: F32,
    labels: Tensor<Shape, "i32">,
    options: { readonly reduction: Reduction },
  ): F32;
  /** Mean of `(a − b)²` over the last axis (`rows`) or over everything (`mean`). */
  mse<A extends Shape, B extends Shape>(
    a: F32<A>,
    b: F32<B> & SameShape<A, B>,
    options: { readonly reduction: "rows" | "mean" },
  ): F32;

  /** Rows of the first axis by index: `x [R, …]`, `index [K]`, giving `[K, …]`. */
  gatherRows(x: F32, index: Tensor<Shape, "u32">): F32;
  /** Zeros of `[rows, …]` with row k of `values [K, …]` added to row `index[k]`, in a fixed order. */
  scatterRows(values: F32, index: Tensor<Shape, "u32">, options: { readonly rows: number }): F32;
  /** Sum over one axis (dropped), or over everything (a scalar). */
  sum(x: F32, options?: { readonly axis?: number }): F32;
  mean(x: F32, options?: { readonly axis?: number }): F32;
  max(x: F32, options?: { readonly axis?: number }): F32;

  /** The same numbers under another shape, without a copy. */
  reshape<S extends Shape>(x: F32, options: { readonly shape: S }): F32<S>;
  /** Axes in a new order, copied. */
  permute(x: F32, options: { readonly axes: readonly number[] }): F32;
  /** Elements `start … end − 1` of one axis. */
  slice(x: F32, options: { readonly axis: number; readonly start: number; readonly end: number }): F32;
  /** Two tensors joined along an axis. */
  concat(a: F32, b: F32, options: { readonly axis: number }): F32;
  /** To another floating-point dtype and back; rounds to nearest even. The gradient passes unchanged. */
  cast<S extends Shape, D extends FloatDType>(x: Weight<S>, options: { readonly dtype: D }): Tensor<S, D>;
}

/**
 * What gradient rules compute with. These have no gradient of their own. `gradient` is always that of the operation's output; each
 * `…Backward` gives the gradients of the operation's inputs, in their shapes. Sums run in a fixed order.
 */
export interface BackwardOps {
  /** Attention, and the logarithm of each query's sum of exponentials `[B, H, T]`, from which backward rebuilds the softmax (Dao et al. 2022). */
  attentionForward(q: F32, k: F32, v: F32, options?: AttentionOptions): { output: F32; logSumExp: F32 };
  attentionBackward(
    q: F32,
    k: F32,
    v: F32,
    output: F32,
    logSumExp: F32,
    gradient: F32,
    options?: AttentionOptions,
  ): { q: F32; k: F32; v: F32 };
  rmsNormBackward(
    x: F32,
    weight: Weight | null,
    gradient: F32,
    options: { readonly eps: number },
  ): { x: F32; weight: F32 | null };
  layerNormBackward(
    x: F32,
    weight: Weight | null,
    bias: Weight | null,
    gradient: F32,
    options: { readonly eps: number },
  ): { x: F32; weight: F32 | null; bias: F32 | null };
  swigluBackward(gate: F32, up: F32, gradient: F32): { gate: F32; up: F32 };
  unaryBackward(x: F32, gradient: F32, options: { readonly kind: UnaryKind }): F32;
  clampBackward(x: F32, gradient: F32, options: { readonly min: number; readonly max: number }): F32;
  /** @param output what softmax gave */
  softmaxBackward(output: F32, gradient: F32): F32;
  /** @param output what logSoftmax gave */
  logSoftmaxBackward(output: F32, gradient: F32): F32;
  crossEntropyBackward(
    logits: F32,
    labels: Tensor<Shape, "i32">,
    gradient: F32,
    options: { readonly reduction: Reduction },
  ): F32;
  /** For the logits; the reference is a constant. */
  klDivergenceBackward(
    reference: F32,
    logits: F32,
    labels: Tensor<Shape, "i32">,
    gradient: F32,
    options: { readonly reduction: Reduction },
  ): F32;
  /** For a; the gradient of b is its negative. */
  mseBackward(a: F32, b: F32, gradient: F32, options: { readonly reduction: "rows" | "mean" }): F32;
  /** @param output what max gave */
  maxBackward(x: F32, output: F32, gradient: F32, options?: { readonly axis?: number }): F32;
  /** Zeros, with the gradient in the place that was cut out of an axis of `size` elements. */
  sliceBackward(gradient: F32, options: { readonly axis: number; readonly start: number; readonly size: number }): F32;
  /** Repeats a sum along the axis that it dropped, or a scalar everywhere: the gradient of a sum. */
  expand(x: F32, shape: Shape, options?: { readonly axis?: number }): F32;
  /** Sums x to a shape that broadcasts to its own: the gradient of broadcasting. */
  sumTo(x: F32, shape: Shape): F32;
  /** `target += factor · x`, in place, for equal shapes. */
  addInto(target: F32, x: F32, options?: { readonly factor?: number }): void;
}

/**
 * All that models, KV caches and gradient rules compute with. They call nothing else, so that another implementation can stand in for
 * the one that runs kernels: one that records (a tape), counts, rounds or adds a low-rank update. One that changes an operation changes
 * the functions that its gradient uses too, where the two must agree: `attention` and `attentionForward`, for example.
 */
export interface Ops extends DifferentiableOps, BackwardOps {
  /** Whether calls are recorded for a gradient. A KV cache cannot be used then: what is written in place has no gradient. */
  readonly records: boolean;
  /** Writes rows `x [B, T, G, D]` into a cache `[B, C, G, D]` from row `at` on, in place. */
  writeCache(cache: F32, x: F32, options: { readonly at: number }): void;
  /** Index of the largest element over the last axis, which is dropped. It has no gradient. */
  argmax(x: F32): Tensor<Shape, "u32">;
  /** The matrix that `linear` stands for with this weight: the weight itself, or a new tensor where something is added to it (LoRA). */
  effectiveWeight(weight: Weight): Weight;
}

/** Functions that {@link DifferentiableOps.unary} applies. */
export type UnaryKind =
  | "neg"
  | "exp"
  | "log"
  | "sqrt"
  | "square"
  | "abs"
  | "sigmoid"
  | "logSigmoid"
  | "silu"
  | "relu"
  | "gelu"
  | "tanh";

/** Names of the operations that have a gradient. */
export type OpName = keyof DifferentiableOps;
