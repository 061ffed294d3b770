import { describe, expect, it } from "vitest";
import { destructiveRate, leakAtK, MetricError, rateOf, recoveryRate } from "../../src/index.ts";

describe("rateOf", () => {
  it("has Wilson's interval, as Newcombe (1998, Table I) gives it", () => {
    const cases: [number, number, string, string][] = [
      [81, 263, "0.2553", "0.3662"],
      [15, 148, "0.0624", "0.1605"],
      [0, 20, "0.0000", "0.1611"],
      [1, 29, "0.0061", "0.1718"],
    ];
    for (const [count, of, low, high] of cases) {
      const rate = rateOf(count, of);
      expect(rate).toMatchObject({ rate: count / of, count, of });
      expect([rate.low.toFixed(4), rate.high.toFixed(4)]).toEqual([low, high]);
    }
  });

  it("stays within 0 and 1, holds the rate, and is symmetric", () => {
    for (const of of [1, 2, 7, 100, 100_000])
      for (const count of new Set([0, 1, Math.floor(of / 3), of - 1, of])) {
        const { rate, low, high } = rateOf(count, of);
        expect(low).toBeGreaterThanOrEqual(0);
        expect(high).toBeLessThanOrEqual(1);
        expect(low).toBeLessThanOrEqual(rate!);
        expect(high).toBeGreaterThanOrEqual(rate!);
        const other = rateOf(of - count, of);
        expect(other.low).toBeCloseTo(1 - high, 12);
      }
    expect(rateOf(0, 9).low).toBe(0);
    expect(rateOf(9, 9).high).toBe(1);
  });

  it("is null where there is no case, and refuses more than all", () => {
    expect(rateOf(0, 0)).toEqual({ rate: null, count: 0, of: 0, low: 0, high: 1 });
    expect(() => rateOf(3, 2)).toThrow(MetricError);
  });
});

describe("recovery and destructive rate", () => {
  // Right before and wrong after: questions 0, 1 and 2.
  const before = [true, true, true, true, false, false];
  const after = [false, false, false, true, false, true];

  it("count right before, wrong after and right under emphasis", () => {
    const elicited = [true, false, true, true, true, true];
    expect(recoveryRate({ before, after, elicited })).toEqual(rateOf(2, 3));
    expect(recoveryRate({ before, after, elicited: after })).toEqual(rateOf(0, 3));
    expect(recoveryRate({ before, after: before, elicited })).toEqual(rateOf(0, 0));
    expect(recoveryRate({ before: [], after: [], elicited: [] }).rate).toBeNull();
  });

  it("count right before and wrong after", () => {
    expect(destructiveRate({ before, after })).toEqual(rateOf(3, 4));
    expect(destructiveRate({ before: after, after: before })).toEqual(rateOf(1, 2));
    expect(destructiveRate({ before: [false], after: [true] }).rate).toBeNull();
  });

  it("refuse verdicts on different questions", () => {
    const elicited = [true];
    expect(() => recoveryRate({ before, after, elicited })).toThrow(MetricError);
    expect(() => recoveryRate({ before, after, elicited })).toThrow("6 before, 6 after, 1 elicited");
    expect(() => destructiveRate({ before, after: elicited })).toThrow("6 before, 1 after");
  });
});

describe("leakAtK", () => {
  /** 1 − C(n − c, k) / C(n, k), in whole numbers but for one quotient. */
  const exactly = (n: number, c: number, k: number) => {
    let [wrong, all] = [1n, 1n];
    for (let i = 0; i < k; i++) {
      wrong *= BigInt(Math.max(0, n - c - i));
      all *= BigInt(n - i);
    }
    const scale = 10n ** 40n;
    return Number(((all - wrong) * scale) / all) / 1e40;
  };

  it("is the chance that one of k is right", () => {
    expect(leakAtK(4, 1, 1)).toBeCloseTo(1 / 4, 15);
    expect(leakAtK(4, 1, 2)).toBeCloseTo(1 / 2, 15);
    expect(leakAtK(5, 2, 2)).toBeCloseTo(1 - 3 / 10, 15);
    expect(leakAtK(5, 2, 4)).toBe(1);
    expect(leakAtK(5, 0, 3)).toBe(0);
    expect(Object.is(leakAtK(5, 0, 3), 0)).toBe(true);
    expect(leakAtK(1, 1, 1)).toBe(1);
    expect(leakAtK(7, 7, 1)).toBe(1);
  });

  it("keeps its digits up to thousands of answers, also where the chance is small", () => {
    const sizes = [1, 2, 3, 10, 100, 1000, 4999, 5000];
    for (const n of sizes)
      for (const c of [...sizes, n - 1].filter((count) => count <= n))
        for (const k of [...sizes, n - c, Math.ceil(n / 3)].filter((count) => count >= 1 && count <= n)) {
          const [leak, exact] = [leakAtK(n, c, k), exactly(n, c, k)];
          expect(Math.abs(leak - exact), `${[n, c, k]}`).toBeLessThanOrEqual(1e-12 * exact);
        }
  });

  it("is the mean over all choices of k", () => {
    const right = [true, false, false, true, false, false];
    const choices = Array.from({ length: 2 ** 6 }, (_, bits) => right.filter((_, i) => bits & (1 << i))).filter(
      ({ length }) => length === 3,
    );
    expect(leakAtK(6, 2, 3)).toBeCloseTo(choices.filter((chosen) => chosen.includes(true)).length / choices.length, 14);
  });

  it("refuses more right answers, or more tries, than there are answers", () => {
    expect(() => leakAtK(4, 5, 1)).toThrow(MetricError);
    expect(() => leakAtK(4, 1, 5)).toThrow("one of 5 answers, of only 4 drawn ones; draw more, or ask for a smaller k");
  });
});
