/** How the forget and retain losses are put together; the coefficients of the released code. */
export type ObjectiveRecipe =
  | { readonly name: "graddiff"; readonly retain: "nll" | "kl"; readonly retainWeight: number }
  | { readonly name: "npo"; readonly beta: number };

/** Everything that decides an unlearning run besides the model, the texts and the seed. */
export interface TrainingRecipe {
  readonly objective: ObjectiveRecipe;
  /** The peak, reached after the warm-up; from there it falls linearly to 0 at the last step. */
  readonly learningRate: number;
  readonly warmupEpochs: number;
  readonly epochs: number;
  /** Optimiser steps an epoch, or null for as many as it takes to see the whole forget text once. */
  readonly stepsPerEpoch: number | null;
  /** Forget texts, and as many retain texts, in one forward pass. */
  readonly batchSize: number;
  /** Batches whose gradients are averaged into one step. */
  readonly gradientAccumulation: number;
  /** A longer text is cut here, in tokens. */
  readonly maxTokens: number;
  /** Keep only what enters each block and compute the rest again on the way back: less memory for about a third more time. */
  readonly checkpointing: boolean;
  /** AdamW; the decay is decoupled. */
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
  /** Gradients are scaled down to this global norm when they exceed it. */
  readonly clipNorm: number;
}
