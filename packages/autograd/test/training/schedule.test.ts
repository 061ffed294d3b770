import { describe, expect, test } from "vitest";
import { cosineDecay, linearDecay } from "../../src/index.ts";

describe("linear decay", () => {
  test("rises from 0 to the peak and falls to 0 at the end", () => {
    const rate = linearDecay({ peak: 2, warmupSteps: 4, totalSteps: 12 });
    expect([0, 1, 4, 8, 12, 13].map(rate)).toEqual([0, 0.5, 2, 1, 0, 0]);
  });

  test("starts at the peak without warm-up", () => {
    expect(linearDecay({ peak: 2, warmupSteps: 0, totalSteps: 4 })(0)).toBe(2);
  });
});

test("cosine decay ends at its floor and stays there", () => {
  const rate = cosineDecay({ peak: 2, warmupSteps: 2, totalSteps: 12, floor: 0.1 });
  expect([0, 1, 2, 7, 12, 20].map(rate)).toEqual([0, 1, 2, 1.1, 0.2, 0.2].map((value) => expect.closeTo(value, 12)));
});

test("a warm-up longer than the training is an error", () => {
  expect(() => linearDecay({ peak: 1, warmupSteps: 5, totalSteps: 4 })).toThrow(
    "5 warm-up steps of 4 steps; expected at most all steps",
  );
});
