import type { F32, OpName, Ops, Shape, Tensor } from "@lethe/tensor";

/** One recorded call, as its rule sees it while the forward pass runs. */
export interface Call {
  /** The operations under the tape: a rule computes with these alone, so that backward runs in the arithmetic of forward. */
  readonly ops: Ops;
  /** The operation's result. */
  readonly output: F32;
  /** The second result of the rule's own `forward`. */
  readonly extra: F32 | undefined;
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

/** Gives the gradients of an operation's operands, in their order, from that of its output; `null` where there is none. */
export type SendBack = (gradient: F32) => readonly (F32 | Addend | null)[];

/** How one operation is differentiated. */
export interface Rule<K extends OpName> {
  /** Runs the operation in place of `ops[K]`, where the gradient needs a second result (`extra`). */
  readonly forward?: (ops: Ops, ...operands: Parameters<Ops[K]>) => { readonly output: F32; readonly extra: F32 };
  /** Called right after the operation. It saves what the gradient reads. */
  readonly backward: (call: Call, ...operands: Parameters<Ops[K]>) => SendBack;
}

/** A rule for each of some operations. */
export type RulesFor<K extends OpName> = { readonly [Name in K]: Rule<Name> };
