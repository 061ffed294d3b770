import type { Shape } from "../../shape.ts";
import type { Tensor } from "../../tensor.ts";
import type { AttentionOptions, F32, Ops, Weight } from "../ops.ts";

/** A norm over the last axis that comes first: `rmsNorm` or `layerNorm`. Its weight is an operand of its own. */
export interface NormFirst {
  readonly kind: "rms" | "layer";
  readonly eps: number;
}

/** Options of {@link FusedOps.selfAttention}. */
export interface SelfAttentionOptions extends Pick<AttentionOptions, "starts"> {
  /** Default: x is used as it is. */
  readonly norm?: NormFirst | undefined;
  /** Query heads, H. */
  readonly heads: number;
  /** Key heads, G. */
  readonly groups: number;
  /** Caches `[B, C, G, D]` into which keys and values are written from column `at` on, and with whose earlier columns attention computes. */
  readonly cache?: { readonly keys: F32; readonly values: F32; readonly at: number } | undefined;
}

/** What {@link FusedOps.selfAttentionForward} gives beside its output, for the gradient. */
export interface SelfAttentionParts {
  readonly output: F32;
  /** x, normalised. */
  readonly input: F32;
  readonly q: F32;
  readonly k: F32;
  readonly v: F32;
  readonly logSumExp: F32;
}

/**
 * Several operations of {@link Ops} in fewer kernels. Each means what its plain operations give, to within rounding. Weights that one
 * product reads together must lie adjacent, and are given in that order (see `together`); otherwise a `ShapeError` is thrown. Arguments
 * are those of the plain operations.
 */
export interface FusedOps {
  /**
   * Attention of a sequence to itself, up to the output projection: with n = norm(x), `attention(rope(n W_Qᵀ), rope(n W_Kᵀ), n W_Vᵀ)`.
   * @param x `[B, T, d]`
   * @param normWeight weight of the norm, or null
   * @param table of rotations, `[P, D]`
   * @param positions `[B, T]`
   * @returns `[B, T, H, D]`
   */
  selfAttention(
    x: F32,
    normWeight: Weight | null,
    query: Weight,
    key: Weight,
    value: Weight,
    table: F32,
    positions: Tensor<Shape, "u32">,
    options: SelfAttentionOptions,
  ): F32;
  /** {@link selfAttention} without a cache, and what its gradient reads. */
  selfAttentionForward(...operands: Parameters<FusedOps["selfAttention"]>): SelfAttentionParts;
  /** Gradient of {@link selfAttention} for `n [W_Qᵀ W_Kᵀ W_Vᵀ]`, the three products side by side: `[B·T, (H + 2 G) D]`. */
  selfAttentionBackward(
    parts: Omit<SelfAttentionParts, "input">,
    table: F32,
    positions: Tensor<Shape, "u32">,
    gradient: F32,
    options: Pick<SelfAttentionOptions, "starts">,
  ): F32;
  /** `silu(n W_gateᵀ) · (n W_upᵀ)`, with n = norm(x) or, without a norm, x. The weights have a multiple of four rows. */
  gatedLinear(
    x: F32,
    normWeight: Weight | null,
    gate: Weight,
    up: Weight,
    options: { readonly norm?: NormFirst | undefined },
  ): F32;
  /** {@link gatedLinear}, and what its gradient reads: n, and gate and up side by side, `[rows, 2 n]`. */
  gatedLinearForward(...operands: Parameters<FusedOps["gatedLinear"]>): { output: F32; input: F32; joint: F32 };
  /** Gradient of {@link gatedLinear} for the two products side by side. */
  gatedLinearBackward(joint: F32, gradient: F32): F32;
  /** `residual + x Wᵀ`. */
  linearAdd(x: F32, weight: Weight, residual: F32): F32;
  /** `norm(x) Wᵀ`. */
  normLinear(x: F32, normWeight: Weight | null, weight: Weight, options: { readonly norm: NormFirst }): F32;
}

const offered = new WeakMap<Ops, FusedOps>();

/** Says that these operations mean what those of `ops` mean together. */
export function offerFused(ops: Ops, fused: FusedOps): void {
  offered.set(ops, fused);
}

/**
 * The fused operations of this very object. An `Ops` over another (LoRA, counting, rounding) is another object and has none, whatever it
 * changes, until they are offered for it: so it never computes past what it changes.
 */
export function fusedOf(ops: Ops): FusedOps | null {
  return offered.get(ops) ?? null;
}
