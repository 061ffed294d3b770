import fc from "fast-check";
import { expect, test } from "vitest";
import { batchTexts, type LeftOut, lengthOf, stepsOfEpoch, usedBatches } from "../../src/methods/batches.ts";

const texts = (count: number, base: number) => Array.from({ length: count }, (_, i) => [base + i, base + i]);
const recipe = (batchSize: number) => ({ batchSize, maxTokens: 9 });
const counts = fc.integer({ min: 1, max: 40 });
const sizes = fc.integer({ min: 1, max: 7 });

test("every forget text is in one batch; retain batches go round", () => {
  fc.assert(
    fc.property(counts, counts, sizes, fc.nat(), (f, r, size, seed) => {
      const batches = batchTexts(
        { forget: texts(f, 0), retain: texts(r, 1000) },
        ["forget", "retain"],
        recipe(size),
        seed,
      );
      const ids = batches.flatMap(({ forget }) => forget!.map(([id]) => id!));
      expect(ids.sort((a, b) => a - b)).toEqual(Array.from({ length: f }, (_, i) => i));
      for (const { retain } of batches) {
        expect(retain!.length).toBeGreaterThan(0);
        expect(retain!.every(([id]) => id! >= 1000)).toBe(true);
      }
    }),
  );
});

test("a preferred text stays beside its own forget text; where there are fewer, they are used again", () => {
  fc.assert(
    fc.property(counts, counts, sizes, fc.nat(), (f, p, size, seed) => {
      const given = { forget: texts(f, 0), preferred: texts(p, 1000) };
      for (const { forget, preferred } of batchTexts(given, ["forget", "preferred"], recipe(size), seed))
        expect(preferred!.map(([id]) => id)).toEqual(forget!.map(([id]) => 1000 + (id! % p)));
    }),
  );
});

test("the order of the forget texts depends on the seed and on no other role", () => {
  const [forget, retain] = [texts(20, 0), texts(9, 1000)];
  const orderOf = (reads: ("forget" | "retain")[], seed: number) =>
    batchTexts({ forget, retain }, reads, recipe(4), seed).map((batch) => batch.forget);
  expect(orderOf(["forget"], 3)).toEqual(orderOf(["forget", "retain"], 3));
  expect(orderOf(["forget"], 3)).not.toEqual(orderOf(["forget"], 4));
});

test("texts that predict nothing are left out and counted, a forget text with its preferred one; the others stay as they were", () => {
  const lengths = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 12 });
  const given = (base: number, lengths: readonly number[]) => lengths.map((length, i) => Array(length).fill(base + i));
  fc.assert(
    fc.property(lengths, lengths, lengths, sizes, fc.nat(), (f, p, r, size, seed) => {
      const all = { forget: given(0, f), preferred: given(100, p), retain: given(200, r) };
      const wanted = f.flatMap((length, i) => (length > 1 && p[i % p.length]! > 1 ? [[i, 100 + (i % p.length)]] : []));
      const counted: LeftOut[] = [];
      const run = () =>
        batchTexts(all, ["forget", "retain", "preferred"], recipe(size), seed, (leftOut) => counted.push(leftOut));
      const kept = r.filter((length) => length > 1).length;
      if (wanted.length === 0 || kept === 0) {
        expect(run).toThrow(/none of the (forget|retain) texts has two tokens or more/);
        return;
      }
      const batches = run();
      const pairs = batches.flatMap(({ forget, preferred }) => forget!.map(([id], i) => [id!, preferred![i]![0]!]));
      expect(pairs.sort(([a], [b]) => a! - b!)).toEqual(wanted);
      for (const { retain } of batches) expect(retain!.every(({ length }) => length > 1)).toBe(true);
      const leftOut = {
        ...(wanted.length < f.length && { forget: f.length - wanted.length }),
        ...(kept < r.length && { retain: r.length - kept }),
      };
      expect(counted).toEqual(Object.keys(leftOut).length > 0 ? [leftOut] : []);
    }),
  );
});

test("an epoch sees each batch once, in an order of its own", () => {
  const whole = { stepsPerEpoch: null, gradientAccumulation: 3 };
  const epochs = [1, 2, 3].map((epoch) => stepsOfEpoch(10, whole, 7, epoch));
  for (const steps of epochs) {
    expect(steps.map(({ length }) => length)).toEqual([3, 3, 3, 1]);
    expect(steps.flat().sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  }
  expect(epochs[0]).not.toEqual(epochs[1]);
  expect(stepsOfEpoch(10, whole, 7, 1)).toEqual(epochs[0]);
});

test("a fixed number of steps goes round the batches", () => {
  const steps = stepsOfEpoch(3, { stepsPerEpoch: 4, gradientAccumulation: 2 }, 0, 1);
  expect(steps.map(({ length }) => length)).toEqual([2, 2, 2, 2]);
  const uses = [0, 1, 2].map((batch) => steps.flat().filter((index) => index === batch).length);
  expect(Math.max(...uses) - Math.min(...uses)).toBeLessThanOrEqual(1);
});

test("a training is as long as its epochs, or as its steps where these are fewer", () => {
  const recipe = { epochs: 3, steps: null, stepsPerEpoch: null, gradientAccumulation: 3, warmupEpochs: 1 };
  const length = (changes: Partial<Record<keyof typeof recipe, number>>) => lengthOf(10, { ...recipe, ...changes });
  expect(length({})).toEqual({ perEpoch: 4, total: 12, epochs: 3, warmup: 4 });
  expect(length({ steps: 99 })).toEqual(length({}));
  expect(length({ steps: 5 })).toEqual({ perEpoch: 4, total: 5, epochs: 2, warmup: 4 });
  expect(length({ steps: 2 })).toEqual({ perEpoch: 4, total: 2, epochs: 1, warmup: 2 });
  expect(length({ stepsPerEpoch: 2, warmupEpochs: 0.5 })).toEqual({ perEpoch: 2, total: 6, epochs: 3, warmup: 1 });
});

test("a training of few steps uses few batches, and one of a whole epoch all", () => {
  const recipe = { epochs: 3, steps: null, stepsPerEpoch: null, gradientAccumulation: 2, warmupEpochs: 1 };
  expect(usedBatches(10, recipe, 7)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  const first = stepsOfEpoch(10, recipe, 7, 1).slice(0, 3).flat();
  expect(usedBatches(10, { ...recipe, steps: 3 }, 7)).toEqual(first.toSorted((a, b) => a - b));
  // Six steps of an epoch of five: the second epoch's first step is among them.
  expect(usedBatches(10, { ...recipe, steps: 6 }, 7)).toHaveLength(10);
  expect(usedBatches(10, { ...recipe, stepsPerEpoch: 1, epochs: 1 }, 7)).toHaveLength(2);
});
