import fc from "fast-check";
import { expect, test } from "vitest";
import { pairTexts, stepsOfEpoch } from "../../src/methods/index.ts";

const texts = (count: number, base: number) => Array.from({ length: count }, (_, i) => [base + i, base + i]);

test("every forget text is in one pair; retain batches go round", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 1, max: 7 }),
      fc.nat(),
      (f, r, size, seed) => {
        const pairs = pairTexts(texts(f, 0), texts(r, 1000), size, seed);
        const ids = pairs.flatMap(({ forget }) => forget.map(([id]) => id!));
        expect(ids.sort((a, b) => a - b)).toEqual(Array.from({ length: f }, (_, i) => i));
        expect(pairs.every(({ retain }) => retain.length > 0 && retain.every(([id]) => id! >= 1000))).toBe(true);
      },
    ),
  );
});

test("an epoch sees each pair once, in an order of its own", () => {
  const whole = { stepsPerEpoch: null, accumulation: 3 };
  const epochs = [1, 2, 3].map((epoch) => stepsOfEpoch(10, whole, 7, epoch));
  for (const steps of epochs) {
    expect(steps.map(({ length }) => length)).toEqual([3, 3, 3, 1]);
    expect(steps.flat().sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  }
  expect(epochs[0]).not.toEqual(epochs[1]);
  expect(stepsOfEpoch(10, whole, 7, 1)).toEqual(epochs[0]);
});

test("a fixed number of steps goes round the pairs", () => {
  const steps = stepsOfEpoch(3, { stepsPerEpoch: 4, accumulation: 2 }, 0, 1);
  expect(steps.map(({ length }) => length)).toEqual([2, 2, 2, 2]);
  const counts = [0, 1, 2].map((pair) => steps.flat().filter((index) => index === pair).length);
  expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
});
