import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { jaccard, type KeyTokenRule, keyTokens, MetricError, sweepKeyTokens, track } from "../../src/index.ts";

/** Five of seven words are for the answer. Their sum is 1.97. */
const contributions = [0.5, -0.2, 0.05, 1, 0, 0.3, 0.12];

describe("keyTokens", () => {
  it("are the positive words of normalised contribution above α", () => {
    const cases: [KeyTokenRule, number[]][] = [
      [{}, [0, 3, 5]],
      [{ alpha: 0.3 }, [0, 3]], // 0.3 is not above 0.3
      [{ alpha: 0.1 }, [0, 3, 5, 6]],
      [{ alpha: 0 }, [0, 2, 3, 5, 6]],
      [{ alpha: 1 }, []],
      [{ normalise: "sum" }, [0, 3]], // 0.254 and 0.508; 0.3 is 0.152 of the sum
      [{ normalise: "sum", alpha: 0.15 }, [0, 3, 5]],
      [{ normalise: "min-max", alpha: 0.25 }, [0, 3, 5]], // 0.3 comes to 0.263
      [{ normalise: "min-max", alpha: 0.27 }, [0, 3]],
      [{ normalise: "min-max", alpha: 0 }, [0, 3, 5, 6]], // the smallest comes to 0
    ];
    for (const [rule, words] of cases) expect(keyTokens(contributions, rule), JSON.stringify(rule)).toEqual(words);
  });

  it("are all positive words where there are fewer than β", () => {
    expect(keyTokens(contributions, { beta: 6 })).toEqual([0, 2, 3, 5, 6]);
    expect(keyTokens(contributions, { beta: 5 })).toEqual([0, 3, 5]);
    expect(keyTokens([0.001, -1, 5, 3])).toEqual([0, 2, 3]);
    expect(keyTokens([0.001, 1, 5, 3])).toEqual([2, 3]);
    expect(keyTokens([0.1], { beta: 1, alpha: 0.9 })).toEqual([0]);
  });

  it("are none where nothing is positive, and equal words are all the largest", () => {
    for (const none of [[], [0, -0], [-1, -2, -3, -4, -5]]) expect(keyTokens(none)).toEqual([]);
    for (const normalise of ["max", "min-max"] as const)
      expect(keyTokens([2, 2, 2, 2], { normalise, alpha: 0.99 })).toEqual([0, 1, 2, 3]);
    expect(keyTokens([2, 2, 2, 2, 2], { normalise: "sum" })).toEqual([]);
  });

  it("do not depend on the scale or the order of words, and a larger α leaves fewer", () => {
    const lists = fc.array(fc.integer({ min: -50, max: 50 }), { maxLength: 20 });
    const rules = fc.record({
      alpha: fc.constantFrom(0, 0.1, 0.25, 0.5),
      beta: fc.integer({ min: 1, max: 8 }),
      normalise: fc.constantFrom("max", "sum", "min-max"),
    });
    fc.assert(
      fc.property(lists, rules, (list, rule) => {
        const words = keyTokens(list, rule);
        expect(
          keyTokens(
            list.map((value) => value / 1024),
            rule,
          ),
        ).toEqual(words);
        const last = list.length - 1;
        expect(keyTokens(list.toReversed(), rule)).toEqual(words.map((word) => last - word).toReversed());
        for (const word of words) expect(list[word]).toBeGreaterThan(0);
        for (const word of keyTokens(list, { ...rule, alpha: 0.6 })) expect(words).toContain(word);
        for (const word of words) expect(keyTokens(list, { ...rule, beta: 30 })).toContain(word);
      }),
    );
  });

  it("refuse a contribution that is not a finite number", () => {
    expect(() => keyTokens([1, Number.NaN])).toThrow(MetricError);
    expect(() => keyTokens([1, Infinity])).toThrow("contribution 1 is Infinity; expected a finite number of nats");
  });
});

describe("sweepKeyTokens", () => {
  const prompts = [contributions, [1, -1], [-1]];

  it("says for each choice how many key tokens there are, and how they agree with the usual ones", () => {
    const grid = { alpha: [0.2, 0.3], beta: [4, 6], normalise: ["max", "sum"] as const };
    expect(sweepKeyTokens(prompts, grid)).toEqual([
      { alpha: 0.2, beta: 4, normalise: "max", sizes: [3, 1, 0], jaccard: [1, 1, null] },
      { alpha: 0.3, beta: 4, normalise: "max", sizes: [2, 1, 0], jaccard: [2 / 3, 1, null] },
      { alpha: 0.2, beta: 6, normalise: "max", sizes: [5, 1, 0], jaccard: [3 / 5, 1, null] },
      { alpha: 0.3, beta: 6, normalise: "max", sizes: [5, 1, 0], jaccard: [3 / 5, 1, null] },
      { alpha: 0.2, beta: 4, normalise: "sum", sizes: [2, 1, 0], jaccard: [2 / 3, 1, null] },
      { alpha: 0.3, beta: 4, normalise: "sum", sizes: [1, 1, 0], jaccard: [1 / 3, 1, null] },
      { alpha: 0.2, beta: 6, normalise: "sum", sizes: [5, 1, 0], jaccard: [3 / 5, 1, null] },
      { alpha: 0.3, beta: 6, normalise: "sum", sizes: [5, 1, 0], jaccard: [3 / 5, 1, null] },
    ]);
  });

  it("compares with the rule that is given, and has the usual rule on its own grid", () => {
    const [only] = sweepKeyTokens(prompts, { alpha: [0.3], beta: [4], normalise: ["max"] }, { alpha: 0.3 });
    expect(only!.jaccard).toEqual([1, 1, null]);
    const all = sweepKeyTokens(prompts);
    expect(all).toHaveLength(5 * 6 * 3);
    const usual = all.find(({ alpha, beta, normalise }) => alpha === 0.2 && beta === 4 && normalise === "max");
    expect(usual).toMatchObject({ sizes: [3, 1, 0], jaccard: [1, 1, null] });
  });
});

describe("jaccard", () => {
  it("compares sets", () => {
    expect(jaccard([1, 2, 3], [2, 3, 4, 5])).toBe(2 / 5);
    expect(jaccard([1, 1, 2], [2, 1])).toBe(1);
    expect(jaccard([1], [])).toBe(0);
    expect(jaccard([], [])).toBeNull();
  });
});

describe("track", () => {
  it("gives rank agreement, overlap of key tokens, and what is left on those of the first model", () => {
    // Its key tokens: 3 and 6, of 0.1, 0.05, 0.5 and 0.2.
    const after = [0.1, -0.2, 0.05, 0.5, 0, -0.3, 0.2];
    const tracked = track(contributions, after);
    expect(tracked.jaccard).toBe(1 / 4);
    expect(tracked.share).toBeCloseTo(0.6 / 1.8, 14);
    // Ranks 6 1 3 7 2 5 4 and 5 2 4 7 3 1 6: squared differences 1 1 1 0 1 16 4.
    expect(tracked.spearman).toBeCloseTo(1 - (6 * 24) / (7 * 48), 14);
  });

  it("finds nothing changed between a model and itself, and more than all where words count for more", () => {
    expect(track(contributions, contributions)).toEqual({ spearman: expect.closeTo(1, 12), jaccard: 1, share: 1 });
    expect(track([2, 1, -1], [4, 3, 9])).toEqual({ spearman: expect.closeTo(-0.5, 12), jaccard: 2 / 3, share: 7 / 3 });
    expect(track([2, 1, -1], [-4, -3, 9])).toEqual({ spearman: expect.closeTo(-1, 12), jaccard: 0, share: 0 });
  });

  it("is null where a number is not defined", () => {
    expect(track([-1, -2], [-3, -4])).toEqual({ spearman: expect.closeTo(1, 12), jaccard: null, share: null });
    expect(track([1, 1], [1, 2])).toEqual({ spearman: null, jaccard: 1, share: 1.5 });
    expect(track([-1], [2])).toEqual({ spearman: null, jaccard: 0, share: null });
    expect(track([], [])).toEqual({ spearman: null, jaccard: null, share: null });
  });

  it("uses the rule that is given for both, and refuses prompts of two lengths", () => {
    const rule = { alpha: 0.6 };
    expect(track(contributions, [0.7, 0, 0.1, 1, 0, 0.1, 0.1], rule)).toMatchObject({ jaccard: 1 / 2, share: 1 });
    expect(() => track([1, 2], [1])).toThrow(MetricError);
    expect(() => track([1, 2], [1])).toThrow("2 contributions before and 1 after");
    expect(() => track([1, 2], [1, Number.NaN])).toThrow(MetricError);
  });
});
