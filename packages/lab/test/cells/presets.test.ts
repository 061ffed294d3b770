import { expect, it } from "vitest";
import { presets } from "../../src/cells/presets.ts";

it("presets ask for the paper's questions and answers", () => {
  expect(presets.paper).toMatchObject({
    concepts: "all",
    epochs: 10,
    evaluation: { targetQuestions: 10, unrelatedQuestions: 50, maxAnswerTokens: 30 },
  });
  expect(presets.smoke.concepts.length).toBe(1);
});
