import { anyObject, atLeast, checked, oneOf } from "@lethe/tensor/checked";
import { z } from "zod";
import { parsed } from "../parsed.ts";
import { type Method, type ModelKind, modelKinds } from "./method.ts";

const count = z.int().min(1);
const decayRate = z.number().min(0).lt(1);

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
  maxTokens: z.int().min(2).default(500),
  /** Keep only what enters each block, and compute the rest again in the backward pass: less memory for about a third more time. */
  checkpointing: z.boolean().default(true),
  /** AdamW's settings, as `AdamWSettings` of `@lethe/autograd` describes them. */
  beta1: decayRate.default(0.9),
  beta2: decayRate.default(0.999),
  epsilon: z.number().positive().default(1e-8),
  weightDecay: z.number().min(0).default(0.01),
  clipNorm: z.number().positive().default(1),
});
export type TrainingRecipe = z.output<typeof recipeSchema>;

/** For a model of a million parameters: at most 40 steps in ten epochs, which bring mean BLEU on the target to about 0.1 or below. */
const tiny = { stepsPerEpoch: 4, gradientAccumulation: 1, checkpointing: false };
const scale: Readonly<Record<ModelKind, Partial<TrainingRecipe>>> = {
  "tiny-llama": tiny,
  "tiny-olmo": tiny,
  released: {},
};

/** The complete recipe of a method for a kind of model. @function */
export const trainingRecipe = checked(
  "trainingRecipe",
  { method: anyObject, kind: oneOf(modelKinds), epochs: atLeast(1) },
  ({ rates }: Pick<Method, "rates">, kind: ModelKind, epochs: number): TrainingRecipe =>
    parsed("trainingRecipe", recipeSchema, { learningRate: rates[kind], epochs, ...scale[kind] }),
);
