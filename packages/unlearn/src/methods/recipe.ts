import { z } from "zod";
import type { Method, ModelKind } from "./method.ts";

const count = z.int().min(1);
const share = z.number().min(0).max(1);

/**
 * Settings of a training that every method has. The defaults are those of the code that Hong et al. 2024 released, and of the Hugging Face
 * Trainer that it uses. Model, method, options, recipe, texts and seed together decide an unlearning run.
 */
export const recipeSchema = z.strictObject({
  /** The peak, reached after the warm-up; from there it falls linearly to 0 at the last step. */
  learningRate: z.number().positive(),
  warmupEpochs: z.number().min(0).default(1),
  epochs: count,
  /** Optimiser steps in an epoch; null for as many as it takes to see each forget text once. */
  stepsPerEpoch: count.nullable().default(null),
  /** Texts of each role in one forward pass. */
  batchSize: count.default(4),
  /** Batches whose gradients are averaged into one step. */
  gradientAccumulation: count.default(8),
  /** Tokens after which a text is cut. */
  maxTokens: count.default(500),
  /** Keep only what enters each block, and compute the rest again in the backward pass: less memory for about a third more time. */
  checkpointing: z.boolean().default(true),
  /** AdamW's settings, as `AdamWSettings` of `@lethe/autograd` describes them. */
  beta1: share.default(0.9),
  beta2: share.default(0.999),
  epsilon: z.number().positive().default(1e-8),
  weightDecay: z.number().min(0).default(0.01),
  clipNorm: z.number().positive().default(1),
});
export type TrainingRecipe = z.output<typeof recipeSchema>;

/** For a model of a million parameters: at most 40 steps in ten epochs, which bring mean BLEU on the target to about 0.1 or below. */
const tiny = { stepsPerEpoch: 4, gradientAccumulation: 1, checkpointing: false };

/** The complete recipe of a method for a kind of model. */
export function trainingRecipe({ rates }: Pick<Method, "rates">, kind: ModelKind, epochs: number): TrainingRecipe {
  return recipeSchema.parse({ learningRate: rates[kind], epochs, ...(kind !== "released" && tiny) });
}
