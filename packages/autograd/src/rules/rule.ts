import type { F32, FusedOps, OpName, Ops, Shape, Tensor } from "@lethe/tensor";

/** One recorded call, as its rule sees it while the forward pass runs. */
export interface Call {
  /** The operations under the tape: a rule computes with these alone, so that backward runs in the arithmetic of forward. */
  readonly ops: Ops;
  /** The fused operations under the tape, for the rules of fused ones. */
  readonly fused: FusedOps;
  /** The operation's result. */
  readonly output: F32;
  /** What the rule's own `forward` gave beside the result. */
  readonly extras: readonly F32[];
  /** For each operand, whether its gradient is needed. */
  readonly wants: readonly boolean[];
  /** Keeps a tensor for the backward pass. A tensor that is not saved may be released before it. */
  save<T extends Tensor | null | undefined>(tensor: T): T;
}

/** A gradient that can be added to another in place, so that it needs no tensor of its own: that of a weight is as large as the weight. */
export interface Addend {
  readonly shape: Shape;
  /** The gradient as a new tensor. */
  make(): F32;
  /** Adds it to `target`, which has its shape. */
  addTo(target: F32): void;
}

/** The gradients of several operands, which come from one product. */
export interface JointAddend {
  /** Indices of the operands. Each wants its gradient. */
  readonly operands: readonly number[];
  /** The gradients as new tensors. */
  make(): readonly F32[];
  /** Adds them to tensors of their shapes. */
  addTo(targets: readonly F32[]): void;
}

/** A gradient to which the rule has added the one that had come so far. */
export interface Sum {
  readonly sum: F32;
}

/** What a rule gives for one operand: its gradient, or `null` where there is none. */
export type Contribution = F32 | Addend | Sum | JointAddend | null;

/** The gradients of an operand that came before, for a rule that adds its own to them. */
export interface Before {
  /** What has come so far, where the rule may give a {@link Sum} with it. */
  soFar(operand: number): F32 | undefined;
  /** The tensor in which the gradient is gathered, where there is one: the rule may add to it and give `null`. */
  inPlace(operand: number): F32 | undefined;
}

/** Gives the gradients of an operation's operands, in their order, from that of its output. A {@link JointAddend} stands in any place. */
export type SendBack = (gradient: F32, before: Before) => readonly Contribution[];

/** Names of the operations that have a rule. */
type Ruled = OpName | FusedOpName;
/** Fused operations that a model's pass calls. */
export type FusedOpName = "selfAttention" | "gatedLinear" | "linearAdd" | "normLinear";
type Operands<K extends Ruled> = Parameters<(Ops & FusedOps)[K]>;

/** How one operation is differentiated. */
export interface Rule<K extends Ruled> {
  /** Runs the operation in place of the plain call, where the gradient needs more results (`extras`). */
  readonly forward?: (
    call: Pick<Call, "ops" | "fused">,
    ...operands: Operands<K>
  ) => { readonly output: F32; readonly extras: readonly F32[] };
  /** Called right after the operation. It saves what the gradient reads. */
  readonly backward: (call: Call, ...operands: Operands<K>) => SendBack;
}

/** A rule for each of some operations. */
export type RulesFor<K extends Ruled> = { readonly [Name in K]: Rule<Name> };
