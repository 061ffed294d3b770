import { describe, expect, it } from "vitest";
import { presets, recipeFor, trainingRecipe } from "../../src/experiment/index.ts";

describe("presets and recipes", () => {
  it("train a tiny model as the tiny study did", () => {
    const recipe = recipeFor(64);
    const common = { epochs: 10, stepsPerEpoch: 4, batchSize: 4, warmupEpochs: 1, weightDecay: 0.01, clipNorm: 1 };
    expect(trainingRecipe(recipe, "graddiff")).toMatchObject({ ...common, learningRate: 5e-4 });
    expect(trainingRecipe(recipe, "npo")).toMatchObject({ ...common, learningRate: 8e-4 });
  });

  it("train a 7B model as released", () => {
    const recipe = trainingRecipe(recipeFor(4096), "graddiff");
    expect(recipe).toMatchObject({ batchSize: 4, gradientAccumulation: 8, stepsPerEpoch: null, maxTokens: 500 });
    expect(recipe.objective).toEqual({ name: "graddiff", retain: "nll", retainWeight: 1.5 });
    expect(recipe.learningRate).toBeGreaterThanOrEqual(1e-5);
    expect(recipe.learningRate).toBeLessThanOrEqual(5e-5);
  });

  it("ask for the paper's questions, answers and windows", () => {
    expect(presets.paper).toMatchObject({
      concepts: "all",
      evaluation: { targetQuestions: 10, unrelatedQuestions: 50, maxAnswerTokens: 30, windowRadius: 2 },
    });
    expect(presets.default.concepts).toEqual(["Harry Potter", "Netflix", "Austria"]);
    expect(presets.smoke.concepts.length).toBe(1);
  });
});
