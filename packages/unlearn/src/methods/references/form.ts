import type { Device, F32, MemoryNeed, Shape } from "@lethe/tensor";
import type { Role } from "../method.ts";

/** What the frozen reference gave for one batch's texts of a role. */
export interface Reference {
  readonly shape: Shape;
  /** Bytes that it holds on the device. */
  readonly bytes: number;
  /** All of it in f32; of the reference itself, or of the innermost open scope. */
  whole(): F32;
  /** Its rows from `start` up to `end` in f32, of the innermost open scope. */
  rows(start: number, end: number): F32;
}

/** The same for all roles of a batch that the objective compares on. */
export type BatchReferences = { readonly [R in Role]?: Reference };

/** What the frozen reference computes for a batch of texts, by role. The tensors belong to no scope, and to whoever asked for them. */
export type ComputeReferences = (batch: number) => { readonly [R in Role]?: F32 };

/** What the frozen reference gives, for the length of one training. */
export interface References extends Disposable {
  /** Called before the first step, for each batch that the training reads. */
  prepare(batch: number): void;
  /** What it gives for a batch. It is there until {@link release}. */
  of(batch: number): BatchReferences;
  /** Called when the gradients of the batch are there. */
  release(): void;
}

/** A way to have what the frozen reference gives when the trained model is compared with it. */
export interface ReferenceForm {
  /** For recipes and command lines. */
  readonly name: string;
  readonly description: string;
  /** Whether the reference runs while the model is trained: then its weights must be somewhere. */
  readonly runsInTraining: boolean;
  /**
   * The memory that it holds at the most while steps are made.
   * @param batches of which each has the shapes of what is computed for it
   */
  memory(device: Device, batches: readonly (readonly Shape[])[]): MemoryNeed[];
  open(compute: ComputeReferences): References;
}
