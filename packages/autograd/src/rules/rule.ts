import type { F32, OpName, Ops, Tensor } from "@lethe/tensor";

/** One recorded call, as its rule sees it while the forward pass runs. */
export interface Call {
  /** What the operation gave. */
  readonly output: F32;
  /** What the rule's own `forward` gave besides. */
  readonly extra: F32 | undefined;
  /** For each operand, whether a gradient is asked for. */
  readonly wants: readonly boolean[];
  /** Keeps a tensor for the backward pass. Whatever is not saved is gone by then. */
  save<T extends Tensor | null | undefined>(tensor: T): T;
}

/** Sends the gradient of an operation's output back to its operands, in their order; `null` where none flows. */
export type SendBack = (gradient: F32) => readonly (F32 | null)[];

/** How one operation is differentiated. */
export interface Rule<K extends OpName> {
  /** Runs the operation, where its gradient needs more than operands and output. */
  readonly forward?: (...operands: Parameters<Ops[K]>) => { readonly output: F32; readonly extra: F32 };
  /** Called right after the operation: says what to save and how to send a gradient back. */
  readonly backward: (call: Call, ...operands: Parameters<Ops[K]>) => SendBack;
}

/** A rule for each of some operations. */
export type RulesFor<K extends OpName> = { readonly [Name in K]: Rule<Name> };
