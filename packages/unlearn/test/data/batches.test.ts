import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { batchesOf, ignoredLabel, integerBelow, padBatch, randomOf, shuffled } from "../../src/data/index.ts";

const x = ignoredLabel;

describe("padBatch", () => {
  test("pads on the right", () => {
    const batch = padBatch([[5, 6, 7], [8], [3, 4]], { padId: 2 });
    expect(batch).toEqual({
      ids: Uint32Array.of(5, 6, 7, 8, 2, 2, 3, 4, 2),
      labels: Int32Array.of(6, 7, x, x, x, x, 4, x, x),
      starts: Uint32Array.of(0, 0, 0),
      lengths: Uint32Array.of(3, 1, 2),
      size: 3,
      length: 3,
    });
  });

  test("pads on the left and says where rows begin", () => {
    const batch = padBatch([[5, 6, 7], [8], [3, 4]], { padId: 2, side: "left" });
    expect(batch.ids).toEqual(Uint32Array.of(5, 6, 7, 2, 2, 8, 2, 3, 4));
    expect(batch.labels).toEqual(Int32Array.of(6, 7, x, x, x, x, x, 4, x));
    expect(batch.starts).toEqual(Uint32Array.of(0, 2, 1));
  });

  test("keeps a padding token that is part of a sequence as a label", () => {
    expect(padBatch([[1, 2, 2]], { padId: 2 }).labels).toEqual(Int32Array.of(2, 2, x));
  });

  test("refuses no sequences and empty ones", () => {
    expect(() => padBatch([], { padId: 0 })).toThrow(RangeError);
    expect(() => padBatch([[1], []], { padId: 0 })).toThrow("Sequence 1 of the batch has no tokens.");
  });
});

describe("batchesOf", () => {
  const sequences = fc.array(fc.array(fc.nat(50), { minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 90 });

  test("holds every sequence once, whatever the seed, the size and the side", () => {
    fc.assert(
      fc.property(
        sequences,
        fc.nat(),
        fc.integer({ min: 1, max: 9 }),
        fc.constantFrom("left", "right"),
        (all, seed, batchSize, side) => {
          const batches = batchesOf(all, { batchSize, padId: 99, side, random: randomOf(seed) });
          const rows = batches.flatMap(({ ids, starts, lengths, size, length }) =>
            Array.from({ length: size }, (_, row) => {
              const from = row * length + starts[row]!;
              return [...ids.slice(from, from + lengths[row]!)].join();
            }),
          );
          expect(rows.sort()).toEqual(all.map((sequence) => sequence.join()).sort());
          expect(batches.filter(({ size }) => size !== batchSize).length).toBeLessThanOrEqual(1);
        },
      ),
    );
  });

  test("pads less than batches of sequences as they come", () => {
    const random = randomOf("lengths");
    const all = Array.from({ length: 256 }, () => new Array<number>(1 + integerBelow(60, random)).fill(7));
    const positions = (batches: readonly { size: number; length: number }[]) =>
      batches.reduce((sum, { size, length }) => sum + size * length, 0);
    const asTheyCome = Array.from({ length: 32 }, (_, i) => padBatch(all.slice(8 * i, 8 * i + 8), { padId: 0 }));
    const tokens = all.flat().length;
    const bucketed = positions(batchesOf(all, { batchSize: 8, padId: 0, random }));
    expect(bucketed - tokens).toBeLessThan((positions(asTheyCome) - tokens) / 4);
  });

  test("refuses a batch size that is no positive whole number", () => {
    for (const batchSize of [0, -1, 1.5]) {
      expect(() => batchesOf([[1]], { batchSize, padId: 0, random: randomOf(0) })).toThrow(`but is ${batchSize}.`);
    }
  });
});

describe("random numbers", () => {
  test("are mulberry32's", () => {
    // FNV-1a of "a" is 0xe40c292c (Fowler, Noll and Vo's own test vector); mulberry32 from there, computed independently in C arithmetic.
    const next = randomOf("a");
    expect([next(), next(), next()].map((value) => value * 2 ** 32)).toEqual([2670119670, 1323809741, 1575654966]);
  });

  test("are even enough: 16 bins of 16 000 draws stay within five standard deviations", () => {
    const random = randomOf(7, "bins");
    const bins = new Array<number>(16).fill(0);
    for (let i = 0; i < 16_000; i++) bins[integerBelow(16, random)]! += 1;
    const deviation = Math.sqrt(16_000 * (1 / 16) * (15 / 16));
    for (const count of bins) expect(Math.abs(count - 1000)).toBeLessThan(5 * deviation);
  });

  test("differ by key, also by neighbouring seeds", () => {
    const first = [0, 1, 2, "0/1", "epoch"].map((key) => randomOf(key)());
    expect(new Set(first).size).toBe(first.length);
  });

  test("shuffle without losing anything, and leave the original alone", () => {
    const items = Array.from({ length: 20 }, (_, i) => i);
    const mixed = shuffled(items, randomOf(1));
    expect(mixed).not.toEqual(items);
    expect(mixed.toSorted((a, b) => a - b)).toEqual(items);
    expect(items[0]).toBe(0);
  });
});
