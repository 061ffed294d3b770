import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MetricError, spearman } from "../../src/index.ts";

describe("Spearman's rank correlation", () => {
  it("follows the textbook formula where no values are equal", () => {
    // Differences of ranks −2, 0, 1, 1, 0: 1 − 6·6 / (5·24).
    expect(spearman([10, 20, 30, 40, 50], [0.3, 0.2, 0.25, 0.35, 9])).toBeCloseTo(1 - 36 / 120, 14);
  });

  it("gives equal values the mean of their ranks", () => {
    // Ranks 1, 2.5, 2.5, 4 and 1, 2, 3, 4: covariance 4.5, variances 4.5 and 5.
    expect(spearman([1, 7, 7, 9], [1, 2, 3, 4])).toBeCloseTo(4.5 / Math.sqrt(4.5 * 5), 14);
    // Ranks 1.5, 1.5, 3.5, 3.5 and 1.5, 3.5, 1.5, 3.5 know nothing of each other.
    expect(spearman([0, 0, 1, 1], [0, 1, 0, 1])).toBeCloseTo(0, 14);
    expect(spearman([-0, 0, 1], [2, 2, 3])).toBeCloseTo(1, 14);
  });

  it("is null where it is not defined: fewer than two values, or a list of equal values", () => {
    for (const [a, b] of [
      [[], []],
      [[1], [2]],
      [
        [0.1, 0.1, 0.1],
        [1, 2, 3],
      ],
      [
        [1, 2],
        [5, 5],
      ],
    ] as const)
      expect(spearman(a, b)).toBeNull();
  });

  it("sees orders alone, is symmetric, does not depend on the order of the pairs, and stays within ±1", () => {
    const pairs = fc.array(fc.tuple(fc.integer({ min: -9, max: 9 }), fc.integer({ min: -9, max: 9 })), {
      maxLength: 60,
    });
    fc.assert(
      fc.property(pairs, (given) => {
        const [a, b] = [given.map(([x]) => x), given.map(([, y]) => y)];
        const rho = spearman(a, b);
        expect(spearman(Float64Array.from(a, Math.exp), b)).toBe(rho);
        const other = [spearman(b, a), spearman(a.toReversed(), b.toReversed())];
        if (rho === null) {
          expect(other).toEqual([null, null]);
          return;
        }
        for (const same of other) expect(same).toBeCloseTo(rho, 12);
        expect(
          spearman(
            a,
            b.map((y) => -y),
          ),
        ).toBeCloseTo(-rho, 12);
        expect(Math.abs(rho)).toBeLessThanOrEqual(1);
      }),
    );
    for (let n = 2; n < 60; n++) {
      const own = spearman([...Array(n).keys()], [...Array(n).keys()])!;
      expect(own).toBeCloseTo(1, 12);
      expect(own).toBeLessThanOrEqual(1);
    }
  });

  it("refuses lists of two lengths, and values without a rank", () => {
    expect(() => spearman([1, 2], [1, 2, 3])).toThrow(MetricError);
    expect(() => spearman([1, 2], [1, 2, 3])).toThrow("2 and 3 values");
    expect(() => spearman([1, Number.NaN], [1, 2])).toThrow("value 1 is NaN");
    expect(() => spearman([1, 2], [Infinity, 2])).toThrow("value 0 is Infinity");
  });
});
