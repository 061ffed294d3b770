import type { StepRecord } from "@lethe/autograd";
import type { Site } from "@lethe/hooks";
import type { F32, Ops, Shape, Tensor } from "@lethe/tensor";
import type { z } from "zod";
import type { TrainedPart } from "./trainable.ts";

/** Texts that a method may read: to be forgotten, to be kept, or preferred to the forget text (a refusal, or another answer). */
export const roles = ["forget", "retain", "preferred"] as const;
export type Role = (typeof roles)[number];

/** A model's forward pass over a batch of one role's texts. Each call of `logits` or `at` runs the model. */
export interface TextPass {
  /** `[B, T]`: the token that follows each position, −100 where there is none or it does not count. Objectives never shift. */
  readonly labels: Tensor<Shape, "i32">;
  /** The sequence of each position that counts in a loss, `[N]`: of those whose label is not −100, sequence after sequence. */
  readonly sequences: Tensor<readonly [number], "u32">;
  /** Logits `[B, T, V]`. They are whole in memory, and so is their gradient: {@link perToken} needs far less. */
  logits(): F32;
  /**
   * −log p of each position that counts, `[N]`, in the order of {@link sequences}. Neither the logits nor their gradient are whole in memory
   * where they are large.
   */
  tokenLosses(): F32;
  /**
   * Computes something of each position that counts from its logits, such as a divergence: `[N, …]`, in the order of {@link sequences}. The
   * logits of the other positions are not computed. `compute` is given pieces of the logits in turn, and gives the same rows of its
   * result. Under a tape a piece is computed again for its gradient, so that no more than one piece and its gradient are in memory. So
   * `compute` must be pure; its operations are those of the objective.
   */
  perToken(compute: (logits: F32, piece: TokenPiece) => F32): F32;
  /**
   * What passes a hook point in a layer, such as the residual stream `[B, T, d]` at `resid_post`. The logits are not computed.
   * @throws {HookError} when the model has no such point
   */
  at(site: Site, layer: number): F32;
  /**
   * The same at the positions that count, `[N, …]`, in the order of {@link sequences}.
   * @throws {LetheError} when what passes there is not `[B, T, …]`
   */
  atTokens(site: Site, layer: number): F32;
}

/** Some of the positions that count in a loss, one after the other. */
export interface TokenPiece {
  /** The token that follows each of them, `[n]`. */
  readonly labels: Tensor<readonly [number], "i32">;
  /** Their places among all that count: from `start` up to `end`. */
  readonly start: number;
  readonly end: number;
}

/** A {@link TextPass} of the model that is trained. */
export interface TrainedPass extends TextPass {
  /**
   * What the objective's `reference` computed for these texts.
   * @throws {LetheError} when it declares none for this role
   */
  readonly reference: F32;
  /** Its shape. */
  readonly referenceShape: Shape;
  /**
   * Rows of it, from `start` up to `end`: of large tensors, in {@link perToken}, the rows of a piece. Where a recipe keeps references in less
   * than f32, only these rows are widened.
   */
  referenceRows(start: number, end: number): F32;
}

/** Sizes of a pass over a batch of texts. */
export interface PassSizes {
  readonly sequences: number;
  /** Positions that count in a loss, N. */
  readonly tokens: number;
  /** V. */
  readonly vocabulary: number;
  /** Of the residual stream, d. */
  readonly width: number;
}

/** A tensor that is computed from a model's pass over texts. */
export interface Quantity {
  (ops: Ops, pass: TextPass): F32;
  /** The tensor's shape, so that its memory is counted before it is computed. Default: not known before the first batch is computed. */
  readonly shapeOf?: (sizes: PassSizes) => Shape;
}

/** A loss for unlearning: a pure function of the trained model's passes over texts, and of tensors from a frozen reference model. */
export interface Objective<R extends Role = Role> {
  /** Texts that it reads. The texts of the first role decide how many batches an epoch has. */
  readonly reads: readonly R[];
  /** What it compares with: it is computed for each batch, with the model as it is before training. */
  readonly reference?: { readonly [S in R]?: Quantity };
  /** The scalar to be minimised, computed with `ops`. */
  loss(ops: Ops, texts: Readonly<Record<R, TrainedPass>>): F32;
}

/** A weight that was trained. */
export interface TrainedWeight {
  /** Hugging Face's name. */
  readonly name: string;
  readonly trained: F32;
  /** As it was before training. */
  readonly start: F32;
}

/** Gives a weight's new value, of the same shape. */
export type WeightEdit = (ops: Ops, weight: TrainedWeight) => F32;

/**
 * A method of unlearning: all that Lethe knows of it. It trains with an objective, or edits weights, or trains and then edits.
 * @typeParam O its options, with defaults filled in
 */
export interface Method<O = unknown> {
  /** Short, for files and command lines: `npo`. */
  readonly name: string;
  /** For figures and pages. */
  readonly title: string;
  /** The paper that describes it. */
  readonly source: string;
  /** A schema in which every option has a default. */
  readonly options: z.ZodType<O>;
  /** The peak learning rate that was published, for models of billions of parameters. Another model may need another one. */
  readonly rate: number;
  /** The loss to train with. Without one, nothing is trained. */
  objective?(options: O): Objective;
  /** The edit of each weight that `trains` selects, after the training. */
  edit?(options: O): WeightEdit;
  /** The weights that are trained and edited. Default: all. */
  trains?(options: O): TrainedPart;
  /**
   * What its preferred texts are, where its objective reads some: refusals, which a caller has to give, or the retain texts, which stand for
   * them where none are given.
   */
  prefers?(options: O): "refusal" | "retain";
  /** Whether the training ends early, after an epoch with these records. Default: never. */
  stops?(epoch: readonly StepRecord[]): boolean;
}
