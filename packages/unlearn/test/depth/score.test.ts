import { expect, test } from "vitest";
import { unlearningDepth } from "../../src/index.ts";

test("the depth score weighs the layers in which a model that never learned the answer loses it", () => {
  // By layer, then by question.
  const never = [
    [0.04, 0.01, 0.0],
    [1, 0.05, 2],
    [3, 0.02, 2],
  ];
  const subject = [
    [9, 1, 0],
    [0.5, 1, 5],
    [3, 1, -1],
  ];
  const { perQuestion, mean } = unlearningDepth(never, subject);
  // The first layer is under the threshold, whatever was lost there. 5 of 2 counts as 2, and −1 as 0.
  expect(perQuestion).toEqual([(0.5 + 3) / 4, null, (2 + 0) / 4]);
  expect(mean).toBeCloseTo((0.875 + 0.5) / 2, 12);
});

test("it is 1 for a model that never learned, 0 for the vanilla one, and nothing where nothing counts", () => {
  const never = [[0.3], [2]];
  expect(unlearningDepth(never, never).mean).toBe(1);
  expect(unlearningDepth(never, [[0], [0]]).mean).toBe(0);
  expect(unlearningDepth([[0.3]], [[0.3]], 0.5)).toEqual({ perQuestion: [null], mean: null });
});

test("both must be measured on the same layers and questions", () => {
  expect(() => unlearningDepth([[1, 2]], [[1]])).toThrow("never has 1 layers of 2 questions and subject has 1 of 1");
});
