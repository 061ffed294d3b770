import { optimisers, trainedWeights } from "@lethe/autograd";
import { z } from "zod";
import { referenceForms } from "./references/list.ts";

const count = z.int().min(1);
const inWords = (list: readonly { readonly name: string; readonly description: string }[]) =>
  list.map(({ name, description }) => `${name}: ${description}`).join("; ");
const decayRate = z.number().min(0).lt(1);

/**
 * Settings of a training that every method has. The defaults are those of the code that Hong et al. 2024 released, and of the Hugging Face
 * Trainer that it uses. Model, method, options, recipe, texts and seed together decide an unlearning run.
 */
export const recipeSchema = z.strictObject({
  learningRate: z
    .number()
    .positive()
    .describe(
      "the highest learning rate, reached after the warm-up; from there it falls linearly to 0 at the last step",
    ),
  warmupEpochs: z
    .number()
    .min(0)
    .default(1)
    .describe("epochs over which the learning rate rises; cut to the length of the training"),
  epochs: count.describe("passes over the texts"),
  steps: count
    .nullable()
    .default(null)
    .describe("optimiser steps after which the training ends, even within an epoch; none for all that the epochs have"),
  stepsPerEpoch: count
    .nullable()
    .default(null)
    .describe("optimiser steps in an epoch; none for as many as it takes to see each forget text once"),
  batchSize: count.default(4).describe("texts of each role in one forward pass"),
  gradientAccumulation: count.default(8).describe("batches whose gradients are averaged into one step"),
  maxTokens: z.int().min(2).default(500).describe("tokens after which a text is cut"),
  checkpointing: z
    .boolean()
    .default(true)
    .describe(
      "keep only what enters each block, and compute the rest again in the backward pass: less memory for about a third more time",
    ),
  beta1: decayRate.default(0.9).describe("AdamW: how much of the mean gradient stays at each step"),
  beta2: decayRate.default(0.999).describe("AdamW: how much of the mean squared gradient stays at each step"),
  epsilon: z.number().positive().default(1e-8).describe("AdamW: added to the root of the mean squared gradient"),
  weightDecay: z.number().min(0).default(0.01).describe("AdamW: weight decay, in units of the learning rate"),
  clipNorm: z.number().positive().default(1).describe("gradients are scaled down to this norm"),
  // What came later has no default: recipes without it keep their identity.
  weights: z
    .enum(trainedWeights.map(({ name }) => name))
    .optional()
    .describe(`how trained weights are kept; absent for f32 (${inWords(trainedWeights)})`),
  optimiser: z
    .enum(optimisers.map(({ name }) => name))
    .optional()
    .describe(`what updates them; absent for adamw (${inWords(optimisers)})`),
  references: z
    .enum(referenceForms.map(({ name }) => name))
    .optional()
    .describe(
      `what becomes of what the frozen reference gives for a batch; absent for f32 (${inWords(referenceForms)})`,
    ),
});
export type TrainingRecipe = z.output<typeof recipeSchema>;
