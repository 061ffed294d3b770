import type { FloatDType } from "../dtype.ts";
import type {
  Broadcast,
  BroadcastFits,
  Last,
  Leading,
  LinearFits,
  LinearShape,
  MatmulFits,
  MatmulShape,
  Reduced,
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
  /** Keys in use, when `k` and `v` are caches with room to spare. Default: all of them. */
  readonly length?: number;
  /** Default: 1/√D. */
  readonly scale?: number;
  /**
   * Whether query t, which stands at key `length − T + t`, sees the keys up to its own place alone. Otherwise every query sees all
   * keys in use, of which there may be fewer than queries. Default: true.
   */
  readonly causal?: boolean;
}

export const reductions = ["none", "sequence", "mean"] as const;
/** How a loss over tokens is summed up. `none`: per token. `sequence`: summed over the last axis of the labels. `mean`: over all tokens that count. */
export type Reduction = (typeof reductions)[number];

/**
 * The operations that have a gradient: autograd has a rule for each. Every method takes its tensors first and its options last, and
 * gives one new tensor. Arithmetic is f32; weights may be packed f16 or bf16. An argument of the wrong kind or dtype throws an
 * `ArgumentError`, and shapes that do not fit throw a `ShapeError`; both name the operation. What is on the device (ids, labels) cannot
 * be checked before it is used; a wrong value there becomes NaN.
 */
export interface DifferentiableOps {
  /**
   * `a @ b` over the last two axes: `[…, M, K] @ […, K, N]` gives `[…, M, N]`. The leading axes are equal, or `b` is a matrix that all of
   * `a` shares. `transposeA` says that `a` is stored `[…, K, M]`, `transposeB` that `b` is stored `[…, N, K]`. An operand larger than the
   * adapter's largest binding is read in parts.
   */
  matmul<A extends Shape, B extends Shape, TA extends boolean = false, TB extends boolean = false>(
    a: F32<A>,
    b: Weight<B> & MatmulFits<Transposed<A, TA>, Transposed<B, TB>>,
    options?: { readonly transposeA?: TA; readonly transposeB?: TB },
  ): F32<MatmulShape<Transposed<A, TA>, Transposed<B, TB>>>;
  /** `x Wᵀ` with a weight as Hugging Face stores it, `[out, in]`: `[…, K]` by `[N, K]` gives `[…, N]`. */
  linear<X extends Shape, W extends Shape>(x: F32<X>, weight: Weight<W> & LinearFits<X, W>): F32<LinearShape<X, W>>;
  /** Rows of a table `[V, d]` by index `[…]`, widened to f32: `[…, d]`. The table may be larger than one binding. An id of V or more gives a row of NaN. */
  embedding<T extends Shape, I extends Shape>(table: Weight<T>, ids: Tensor<I, "u32">): F32<[...I, Last<T>]>;

  /** `x / √(mean(x²) + eps) · weight` over the last axis (Zhang & Sennrich 2019); without a weight when it is null. */
  rmsNorm<S extends Shape>(x: F32<S>, weight: Weight | null, options: { readonly eps: number }): F32<S>;
  /** `(x − mean) / √(var + eps) · weight + bias` over the last axis (Ba et al. 2016); either parameter may be null, as both are in OLMo-1. */
  layerNorm<S extends Shape>(
    x: F32<S>,
    weight: Weight | null,
    bias: Weight | null,
    options: { readonly eps: number },
  ): F32<S>;
  /**
   * Rotary position embedding (Su et al. 2021) in the half-split layout of Hugging Face: the first half of a head is turned against its
   * second half.
   * @param x `[B, T, H, D]`
   * @param table `[P, D]` from `ropeTable`: for each position D/2 cosines, then D/2 sines
   * @param positions `[B, T]`, each below P; a later one gives NaN
   * @param options `inverse` turns the other way, which is also the gradient
   */
  rope<S extends Shape>(
    x: F32<S>,
    table: F32,
    positions: Tensor<Shape, "u32">,
    options?: { readonly inverse?: boolean },
  ): F32<S>;
  /**
   * Softmax attention, `softmax(scale · Q Kᵀ) V`, with scores that are never stored (Dao et al. 2022). It is causal unless the options
   * say otherwise.
   * @param q `[B, T, H, D]`; query t stands at key `length − T + t`. D is a multiple of 4 up to 256.
   * @param k `[B, S, G, D]`; query head h reads key head `h / (H/G)`
   * @param v `[B, S, G, D]`
   * @returns `[B, T, H, D]`; zeros for a query that sees no key, such as a causal one left of its sequence's start
   */
  attention<S extends Shape>(q: F32<S>, k: F32, v: F32, options?: AttentionOptions): F32<S>;
  /**
   * The pattern of {@link attention}, `[B, H, T, L]` over the L keys in use: the weight that each query gives to each key. It is stored in
   * full, for hooks.
   */
  attentionPattern(q: F32, k: F32, options?: AttentionOptions): F32;
  /**
   * Values `[B, S, G, D]` mixed by a pattern `[B, H, T, L]`, L ≤ S: `[B, T, H, D]`. With the pattern above it agrees with {@link attention}.
   * The pattern need not be causal or sum to one.
   */
  attendWithPattern(pattern: F32, v: F32): F32;
  /** `silu(gate) · up` (Shazeer 2020), element by element. */
  swiglu<S extends Shape>(gate: F32<S>, up: F32<S>): F32<S>;

  /** `a + b`, broadcast as NumPy does. */
  add<A extends Shape, B extends Shape>(a: F32<A>, b: F32<B> & BroadcastFits<A, B>): F32<Broadcast<A, B>>;
  /** `a − b`, broadcast as NumPy does. */
  sub<A extends Shape, B extends Shape>(a: F32<A>, b: F32<B> & BroadcastFits<A, B>): F32<Broadcast<A, B>>;
  /** `a · b`, broadcast as NumPy does. */
  mul<A extends Shape, B extends Shape>(a: F32<A>, b: F32<B> & BroadcastFits<A, B>): F32<Broadcast<A, B>>;
  /** `a / b`, broadcast as NumPy does. WGSL leaves the result of a division by zero to the adapter. */
  div<A extends Shape, B extends Shape>(a: F32<A>, b: F32<B> & BroadcastFits<A, B>): F32<Broadcast<A, B>>;
  /** `x · factor + offset` with plain numbers, by default 1 and 0. */
  affine<S extends Shape>(x: F32<S>, options: { readonly factor?: number; readonly offset?: number }): F32<S>;
  /**
   * A function of each element. `gelu` is the exact one, x Φ(x) (Hendrycks & Gimpel 2016). The logarithm of 0 is −∞; that of a negative
   * number, and its square root, are NaN.
   */
  unary<S extends Shape>(x: F32<S>, options: { readonly kind: UnaryKind }): F32<S>;
  /** Each element limited to `[min, max]` (OLMo's `clip_qkv`). */
  clamp<S extends Shape>(x: F32<S>, options: { readonly min: number; readonly max: number }): F32<S>;

  /**
   * Softmax over the last axis. The row's maximum is subtracted first. As in PyTorch, a row with NaN or +∞ in it, or with nothing above −∞,
   * is NaN throughout.
   */
  softmax<S extends Shape>(x: F32<S>): F32<S>;
  /** Logarithm of {@link softmax} over the last axis, NaN where that is. */
  logSoftmax<S extends Shape>(x: F32<S>): F32<S>;
  /**
   * `−log softmax(logits)[label]` for `logits […, V]` and `labels […]`; log-probabilities are never stored. No shift is applied. A label
   * of −100 does not count; `mean` divides by the number of tokens that do, and is 0 when none does. Any other label outside
   * `0 … V − 1` makes its loss NaN.
   */
  crossEntropy(logits: F32, labels: Tensor<Shape, "i32">, options: { readonly reduction: Reduction }): F32;
  /**
   * `crossEntropy(linear(x, weight), labels)` for `x […, K]`, `weight [V, K]` and `labels […]`. Logits that are large are never whole in memory,
   * and neither is their gradient: they are computed in blocks of columns, in the gradient once more.
   */
  linearCrossEntropy(
    x: F32,
    weight: Weight,
    labels: Tensor<Shape, "i32">,
    options: { readonly reduction: Reduction },
  ): F32;
  /**
   * `KL(softmax(reference) ‖ softmax(logits))` of each row of `[…, V]`. Labels `[…]` only say which rows count: all but those of −100.
   * `mean` divides by the number of rows that count, and is 0 when none does. The gradient goes to `logits` alone.
   */
  klDivergence(
    reference: F32,
    logits: F32,
    labels: Tensor<Shape, "i32">,
    options: { readonly reduction: Reduction },
  ): F32;
  /** Mean of `(a − b)²` over the last axis (`rows`), or over everything (`mean`), giving a scalar. */
  mse<A extends Shape, B extends Shape>(
    a: F32<A>,
    b: F32<B> & SameShape<A, B>,
    options: { readonly reduction: "rows" | "mean" },
  ): F32;

  /** Rows of the first axis by index: `x [R, …]`, `index [K]`, giving `[K, …]`. An entry of R or more gives a row of NaN. */
  gatherRows(x: F32, index: Tensor<Shape, "u32">): F32;
  /**
   * Zeros of `[rows, …]` with row k of `values [K, …]` added to row `index[k]`: the gradient of {@link gatherRows}. Rows of one index are
   * added in the order of k, so that the sum is the same every time. Entries of `rows` or more are left out.
   */
  scatterRows(values: F32, index: Tensor<Shape, "u32">, options: { readonly rows: number }): F32;
  /** Sum over one axis, or over everything; a reduced axis is dropped or, with `keepDims`, has length 1. */
  sum<S extends Shape, A extends number | undefined = undefined, K extends boolean = false>(
    x: F32<S>,
    options?: { readonly axis?: A; readonly keepDims?: K },
  ): F32<Reduced<S, A, K>>;
  /** Mean over one axis, or over everything; a reduced axis is dropped or, with `keepDims`, has length 1. */
  mean<S extends Shape, A extends number | undefined = undefined, K extends boolean = false>(
    x: F32<S>,
    options?: { readonly axis?: A; readonly keepDims?: K },
  ): F32<Reduced<S, A, K>>;
  /** Maximum over one axis, or over everything; a reduced axis is dropped or, with `keepDims`, has length 1. It is NaN where one of the elements is. */
  max<S extends Shape, A extends number | undefined = undefined, K extends boolean = false>(
    x: F32<S>,
    options?: { readonly axis?: A; readonly keepDims?: K },
  ): F32<Reduced<S, A, K>>;

  /** The same numbers under another shape, without a copy. */
  reshape<S extends Shape>(x: F32, options: { readonly shape: S }): F32<S>;
  /** Axes in a new order, copied: axis i of the result is axis `axes[i]` of x. */
  permute(x: F32, options: { readonly axes: readonly number[] }): F32;
  /** Elements `start … end − 1` of one axis. */
  slice(x: F32, options: { readonly axis: number; readonly start: number; readonly end: number }): F32;
  /** Two tensors joined along an axis. */
  concat(a: F32, b: F32, options: { readonly axis: number }): F32;
  /**
   * To another floating-point dtype, rounding to nearest, ties to even. A number too large for f16 becomes infinity; widening is exact.
   * The gradient passes unchanged.
   */
  cast<S extends Shape, D extends FloatDType>(x: Weight<S>, options: { readonly dtype: D }): Tensor<S, D>;
}

/**
 * What gradient rules compute with. These have no gradient of their own. `gradient` is always that of the operation's output; each
 * `…Backward` gives the gradients of the operation's inputs, in their shapes. Sums run in a fixed order.
 */
export interface BackwardOps {
  /**
   * `attention`, and the logarithm of each query's sum of exponentials `[B, H, T]`, from which backward rebuilds the softmax (Dao et al.
   * 2022). It is 0 for a query that sees no key.
   */
  attentionForward(q: F32, k: F32, v: F32, options?: AttentionOptions): { output: F32; logSumExp: F32 };
  /**
   * Gradients of `attention`. Keys that no query sees get zeros.
   * @param output `[B, T, H, D]`, like
   * @param logSumExp `[B, H, T]` a result of {@link attentionForward} for the same arguments
   */
  attentionBackward(
    q: F32,
    k: F32,
    v: F32,
    output: F32,
    logSumExp: F32,
    gradient: F32,
    options?: AttentionOptions,
  ): { q: F32; k: F32; v: F32 };
  /**
   * Gradients of `rmsNorm`. The weight's is f32. `add` is added to that of x, whose other gradients it holds. With `into` the
   * weight's is added to that tensor, in place of a new one.
   */
  rmsNormBackward(
    x: F32,
    weight: Weight | null,
    gradient: F32,
    options: { readonly eps: number; readonly add?: F32 | undefined; readonly into?: F32 | undefined },
  ): { x: F32; weight: F32 | null };
  /** Gradients of `layerNorm`. Those of the parameters are f32. `add` and `into` are as in {@link rmsNormBackward}. */
  layerNormBackward(
    x: F32,
    weight: Weight | null,
    bias: Weight | null,
    gradient: F32,
    options: { readonly eps: number; readonly add?: F32 | undefined; readonly into?: F32 | undefined },
  ): { x: F32; weight: F32 | null; bias: F32 | null };
  /** Gradients of `swiglu`. */
  swigluBackward(gate: F32, up: F32, gradient: F32): { gate: F32; up: F32 };
  /** Gradient of `unary`. At the kinks of `abs` and `relu` it is 0, at a NaN it is NaN. */
  unaryBackward(x: F32, gradient: F32, options: { readonly kind: UnaryKind }): F32;
  /** Gradient of `clamp`. It passes where x lies inside `[min, max]`, ends included. */
  clampBackward(x: F32, gradient: F32, options: { readonly min: number; readonly max: number }): F32;
  /**
   * Gradient of `softmax`.
   * @param output the result of `softmax`
   */
  softmaxBackward(output: F32, gradient: F32): F32;
  /**
   * Gradient of `logSoftmax`.
   * @param output the result of `logSoftmax`
   */
  logSoftmaxBackward(output: F32, gradient: F32): F32;
  /** Gradient of `crossEntropy` for the logits: `softmax(logits) − onehot(label)`, times the weight of the token; 0 for one that does not count. */
  crossEntropyBackward(
    logits: F32,
    labels: Tensor<Shape, "i32">,
    gradient: F32,
    options: { readonly reduction: Reduction },
  ): F32;
  /** `linearCrossEntropy`, and what its gradient needs: the logits, or each row's sums of exponentials where those are large. */
  linearCrossEntropyForward(
    x: F32,
    weight: Weight,
    labels: Tensor<Shape, "i32">,
    options: { readonly reduction: Reduction },
  ): { output: F32; saved: F32 };
  /**
   * Gradients of `linearCrossEntropy`, where they are wanted. The weight's is f32.
   * @param saved a result of {@link linearCrossEntropyForward} for the same arguments
   * @param wants whose gradients; `into` is a tensor that the weight's is added to, in place of a new one
   */
  linearCrossEntropyBackward(
    x: F32,
    weight: Weight,
    labels: Tensor<Shape, "i32">,
    saved: F32,
    gradient: F32,
    options: { readonly reduction: Reduction },
    wants: { readonly x: boolean; readonly weight: boolean; readonly into?: F32 | undefined },
  ): { x: F32 | null; weight: F32 | null };
  /** Gradient of `klDivergence` for the logits: `softmax(logits) − softmax(reference)`, times the weight of the row. */
  klDivergenceBackward(
    reference: F32,
    logits: F32,
    labels: Tensor<Shape, "i32">,
    gradient: F32,
    options: { readonly reduction: Reduction },
  ): F32;
  /** Gradient of `mse` for a; that of b is its negative. */
  mseBackward(a: F32, b: F32, gradient: F32, options: { readonly reduction: "rows" | "mean" }): F32;
  /**
   * Gradient of `max`. Elements equal to the maximum share it equally.
   * @param output the result of `max`
   */
  maxBackward(
    x: F32,
    output: F32,
    gradient: F32,
    options?: { readonly axis?: number | undefined; readonly keepDims?: boolean },
  ): F32;
  /** Gradient of `slice`: zeros, with the gradient in the place that was cut out of an axis of `size` elements. */
  sliceBackward(gradient: F32, options: { readonly axis: number; readonly start: number; readonly size: number }): F32;
  /** Repeats a sum along the axis that was reduced, or everywhere, to a shape: the gradient of `sum`. */
  expand(x: F32, shape: Shape, options?: { readonly axis?: number | undefined; readonly keepDims?: boolean }): F32;
  /** Sums x to a shape that broadcasts to its own: the gradient of broadcasting. */
  sumTo(x: F32, shape: Shape): F32;
  /** `target += factor · x`, in place, for equal shapes. */
  addInto(target: F32, x: F32, options?: { readonly factor?: number }): void;
  /** `target += a @ b`, in place: {@link DifferentiableOps.matmul} added to a gradient without a second tensor of its size. */
  matmulInto(
    target: F32,
    a: F32,
    b: Weight,
    options?: { readonly transposeA?: boolean; readonly transposeB?: boolean },
  ): void;
  /** Adds row k of `values [K, …]` to row `index[k]` of `target`, in place: {@link DifferentiableOps.scatterRows} added to a gradient. */
  scatterRowsInto(target: F32, values: F32, index: Tensor<Shape, "u32">): void;
}

/**
 * All that models, KV caches and gradient rules compute with. They call nothing else, so that another implementation can stand in for
 * the one that runs kernels: one that records (a tape), counts, rounds or adds a low-rank update. One that changes an operation changes
 * the functions that its gradient uses too, where the two must agree: `attention` and `attentionForward`, for example.
 */
export interface Ops extends DifferentiableOps, BackwardOps {
  /** Whether calls are recorded for a gradient. A KV cache cannot be used then: what is written in place has no gradient. */
  readonly records: boolean;
  /** Writes rows `x [B, T, G, D]` into a cache `[B, C, G, D]` from row `at` on, in place. The rows must fit the capacity C. */
  writeCache(cache: F32, x: F32, options: { readonly at: number }): void;
  /**
   * Index of the largest element over the last axis, which is dropped: the lowest index among equals. NaN counts as the largest, as in
   * NumPy and PyTorch, so that a row with NaN in it points at the fault. It has no gradient.
   */
  argmax<S extends Shape>(x: F32<S>): Tensor<Leading<S>, "u32">;
  /**
   * The k largest elements over the last axis, largest first, with their indices: both `[…, k]`. The lower index comes first among
   * equals; NaN counts as the largest. Time grows with k · width: the operation is meant for a few elements of many. It has no gradient.
   * @throws {ShapeError} when a row has fewer than k elements.
   */
  topK(x: F32, k: number): { values: F32; indices: Tensor<Shape, "u32"> };
  /** The matrix that `linear` multiplies by, given this weight: the weight itself, or a new tensor where something is added to it (LoRA). */
  effectiveWeight(weight: Weight): Weight;
}

// In the order of the branches of `kernels/unary.wgsl`.
export const unaryKinds = [
  "neg",
  "exp",
  "log",
  "sqrt",
  "square",
  "abs",
  "sigmoid",
  "logSigmoid",
  "silu",
  "relu",
  "gelu",
  "tanh",
] as const;
/** Functions that {@link DifferentiableOps.unary} applies. */
export type UnaryKind = (typeof unaryKinds)[number];

/** Names of the operations that have a gradient. */
export type OpName = keyof DifferentiableOps;
