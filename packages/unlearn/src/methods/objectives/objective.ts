import { type F32, LetheError, type Ops, type Shape, type Tensor } from "@lethe/tensor";

/** The texts an objective can read, by their role. */
export type Role = "forget" | "retain";

/** Texts on the device with the token that each position should predict. A batch for a model carries what the model needs besides. */
export interface Labelled {
  /** `[B, T]`: the next token, −100 where there is none or it does not count. Already shifted: objectives never shift. */
  readonly labels: Tensor<Shape, "i32">;
}

/** Something of the frozen reference model that an objective compares with: S₀, `[B]`, or its logits, `[B, T, V]`. */
export type Quantity = "sequenceNll" | "logits";

/** What an objective reads of the frozen reference model, for each role; computed once, since neither model nor text changes. */
export type ReferenceNeeds = { readonly [R in Role]?: Quantity };

/** One micro-batch as an objective sees it. */
export interface LossInputs<B extends Labelled> {
  /** Logits `[B, T, V]` of the model that is trained. */
  readonly forward: (batch: B) => F32;
  readonly batches: { readonly [R in Role]?: B };
  /** The quantities that `needs` names. */
  readonly reference?: { readonly [R in Role]?: F32 };
}

/** A loss for unlearning: a pure function of a model's forward pass, texts and a frozen reference. */
export interface Objective {
  readonly name: string;
  /** Texts that it reads. */
  readonly roles: readonly Role[];
  readonly needs: ReferenceNeeds;
  /**
   * The scalar to be minimised.
   * @throws {LetheError} when a text or a reference quantity that it reads was not given.
   */
  loss<B extends Labelled>(ops: Ops, inputs: LossInputs<B>): F32;
}

/** The batch of a role. */
export function batchFor<B extends Labelled>(objective: string, role: Role, { batches }: LossInputs<B>): B {
  const batch = batches[role];
  if (!batch) throw new LetheError(`${objective}: it reads ${role} text, and none was given`);
  return batch;
}

/** The reference quantity of a role. */
export function referenceFor<B extends Labelled>(objective: string, role: Role, { reference }: LossInputs<B>): F32 {
  const quantity = reference?.[role];
  if (!quantity)
    throw new LetheError(
      `${objective}: it compares with the reference model on ${role} text; compute it once with referenceOf() and pass it in`,
    );
  return quantity;
}
