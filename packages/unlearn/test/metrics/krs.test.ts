import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { krs, MetricError } from "../../src/index.ts";

describe("Knowledge Recovery Score", () => {
  it("follows the paper's formula and the notebooks' average on a worked example", () => {
    // Two questions: 4 → 1 (three quarters back) and 1 → 1 (nothing back).
    const { ratioOfMeans, meanOfRatios } = krs([4, 1], [1, 1]);
    expect(ratioOfMeans).toBeCloseTo(1 - 2 / 5, 14);
    expect(meanOfRatios).toBeCloseTo((0.75 + 0) / 2, 14);
  });

  it("is 1 for full recovery, 0 for none and negative when the restoration hurts", () => {
    expect(krs([2, 3], [0, 0])).toEqual({ ratioOfMeans: 1, meanOfRatios: 1 });
    expect(krs([2, 3], [2, 3])).toEqual({ ratioOfMeans: 0, meanOfRatios: 0 });
    expect(krs([1], [3])).toEqual({ ratioOfMeans: -2, meanOfRatios: -2 });
  });

  it("is the same in both aggregations when all base losses are equal, and does not depend on the scale of the logits", () => {
    const losses = fc.array(fc.double({ min: 0, max: 1e3, noNaN: true }), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(losses, fc.double({ min: 1e-3, max: 1e3, noNaN: true }), (restored, base) => {
        const even = krs(
          restored.map(() => base),
          restored,
        );
        expect(even.ratioOfMeans).toBeCloseTo(even.meanOfRatios, 6);
        const scaled = krs(
          restored.map(() => base * 4),
          restored.map((loss) => loss * 4),
        );
        expect(scaled).toEqual(even);
      }),
    );
  });

  it.each([
    ["a base loss of 0", [1, 0], [1, 0], /question 1.*nothing to recover/s],
    ["a base loss that is not finite", [Number.NaN, 1], [1, 1], /unlearned model's loss on question 0 is NaN/],
    [
      "a restored loss that is not finite",
      [1, 1],
      [1, Number.POSITIVE_INFINITY],
      /restored model's loss on question 1/,
    ],
    ["a negative loss", [1, -1], [1, 1], /question 1 is -1/],
    ["no question", [], [], /at least one/],
    ["lists of different length", [1, 2], [1], /2 of the unlearned and 1 of the restored/],
  ])("refuses %s", (_, base, restored, message) => {
    expect(() => krs(base, restored)).toThrow(MetricError);
    expect(() => krs(base, restored)).toThrow(message);
  });
});
