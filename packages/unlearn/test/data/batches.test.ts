import { fewLengths } from "@lethe/decoder";
import { integerBelow, randomOf } from "@lethe/tensor";
import { testDevice } from "@lethe/testing/device";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { batchesOf, chunks, ignoredLabel, labelledBatch } from "../../src/index.ts";

const device = await testDevice();
const x = ignoredLabel;

describe("labelledBatch", () => {
  test("shifts labels and pads on the right", async () => {
    const batch = labelledBatch(device, [[5, 6, 7], [8], [3, 4]], { padId: 2 });
    expect([...(await batch.ids.read())]).toEqual([5, 6, 7, 8, 2, 2, 3, 4, 2]);
    expect([...(await batch.labels.read())]).toEqual([6, 7, x, x, x, x, 4, x, x]);
  });

  test("pads on the left when asked", async () => {
    const batch = labelledBatch(device, [[5, 6, 7], [8], [3, 4]], { padId: 2, pad: "left" });
    expect([...(await batch.ids.read())]).toEqual([5, 6, 7, 2, 2, 8, 2, 3, 4]);
    expect([...(await batch.labels.read())]).toEqual([6, 7, x, x, x, x, x, 4, x]);
    expect([...(await batch.starts.read())]).toEqual([0, 2, 1]);
  });

  test("pads to one of a few lengths when asked, with no label there", async () => {
    const padTo = fewLengths;
    for (const pad of ["left", "right"] as const) {
      const batch = labelledBatch(device, [[5, 6, 7], [8]], { pad, padTo });
      const labels = await batch.labels.read();
      expect(batch.ids.shape).toEqual([2, 8]);
      expect([...labels].filter((label) => label !== x)).toEqual([6, 7]);
      expect([labels[batch.row(0, 0)], labels[batch.row(0, 1)]]).toEqual([6, 7]);
    }
  });

  test("keeps a padding token that is part of a sequence as a label", async () => {
    expect([...(await labelledBatch(device, [[1, 2, 2]], { padId: 2 }).labels.read())]).toEqual([2, 2, x]);
  });
});

describe("batchesOf", () => {
  const sequences = fc.array(fc.array(fc.nat(50), { minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 90 });

  test("holds every sequence once, whatever the seed and the size", () => {
    fc.assert(
      fc.property(sequences, fc.nat(), fc.integer({ min: 1, max: 9 }), (all, seed, batchSize) => {
        const batches = batchesOf(all, { batchSize, random: randomOf(seed) });
        const spell = (list: readonly (readonly number[])[]) => list.map((sequence) => sequence.join()).sort();
        expect(spell(batches.flat())).toEqual(spell(all));
        expect(batches.filter(({ length }) => length !== batchSize).length).toBeLessThanOrEqual(1);
      }),
    );
  });

  test("pads less than batches of sequences in their own order", () => {
    const random = randomOf("lengths");
    const all = Array.from({ length: 256 }, () => new Array<number>(1 + integerBelow(60, random)).fill(7));
    const positions = (batches: readonly (readonly number[])[][]) =>
      batches.reduce((sum, batch) => sum + batch.length * Math.max(...batch.map(({ length }) => length)), 0);
    const tokens = all.flat().length;
    const bucketed = positions(batchesOf(all, { batchSize: 8, random }));
    expect(bucketed - tokens).toBeLessThan((positions(chunks(all, 8)) - tokens) / 4);
  });

  test("refuses a batch size that is no positive whole number", () => {
    for (const batchSize of [0, -1, 1.5]) {
      expect(() => batchesOf([[1]], { batchSize, random: randomOf(0) })).toThrow(
        `batchSize is ${batchSize}; expected a whole number of at least 1`,
      );
    }
  });
});
