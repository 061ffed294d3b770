import { describe, expect, it } from "vitest";
import { presets, recipeFor, trainingRecipe } from "../../src/experiment/presets.ts";

describe("presets and recipes", () => {
  it("train a tiny model as the tiny study did, an OLMo faster than a LLaMA", () => {
    const common = { epochs: 10, stepsPerEpoch: 4, batchSize: 4, warmupEpochs: 1, weightDecay: 0.01, clipNorm: 1 };
    const [llama, olmo] = (["llama", "olmo"] as const).map((family) => recipeFor({ family, width: 64 }));
    expect(trainingRecipe(llama!, "graddiff", 10)).toMatchObject({ ...common, learningRate: 5e-4 });
    expect(trainingRecipe(llama!, "npo", 10)).toMatchObject({ ...common, learningRate: 8e-4 });
    for (const method of ["graddiff", "npo"] as const) {
      const { learningRate } = trainingRecipe(olmo!, method, 10);
      expect(learningRate).toBeGreaterThan(trainingRecipe(llama!, method, 10).learningRate);
      expect(trainingRecipe(olmo!, method, 10)).toEqual({ ...trainingRecipe(llama!, method, 10), learningRate });
    }
  });

  it("train a 7B model as released", () => {
    const recipe = trainingRecipe(recipeFor({ family: "olmo", width: 4096 }), "graddiff", 10);
    expect(recipe).toMatchObject({ batchSize: 4, gradientAccumulation: 8, stepsPerEpoch: null, maxTokens: 500 });
    expect(recipe.objective).toEqual({ name: "graddiff", retain: "nll", retainWeight: 1.5 });
    expect(recipe.learningRate).toBeGreaterThanOrEqual(1e-5);
    expect(recipe.learningRate).toBeLessThanOrEqual(5e-5);
  });

  it("ask for the paper's questions, answers and windows", () => {
    expect(presets.paper).toMatchObject({
      concepts: "all",
      epochs: 10,
      evaluation: { targetQuestions: 10, unrelatedQuestions: 50, maxAnswerTokens: 30, windowRadius: 2 },
    });
    expect(presets.smoke.concepts.length).toBe(1);
  });
});
