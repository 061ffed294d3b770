import { describe, expect, it } from "vitest";
import { matchLoss } from "../../src/subjects/match-loss.ts";

/** Searches, and counts the losses that were computed. */
async function search(wanted: number, loss: (factor: number) => number, tolerance = 0.01) {
  let count = 0;
  const found = await matchLoss(wanted, tolerance, async (factor) => {
    count++;
    return loss(factor);
  });
  return { ...found, count };
}

describe("matchLoss", () => {
  it.each<[string, (factor: number) => number, number]>([
    ["a square", (s) => 0.03 * s ** 2, 4],
    ["a damage that is larger than wanted", (s) => 500 * s ** 2, 4],
    ["a square that flattens", (s) => (4 * s ** 2) / (s ** 2 + 900), 10],
    ["a threshold", (s) => 0.01 * s + 6 / (1 + Math.exp(20 - s)), 14],
    ["what is no number beyond some size", (s) => (s > 12 ? Number.NaN : s ** 2 / 30), 14],
  ])("finds the factor of %s in few passes", async (_, loss, most) => {
    for (const wanted of [0.5, 1.5, 3.2]) {
      const { factor, loss: reached, count } = await search(wanted, loss);
      expect(reached).toBe(loss(factor));
      expect(Math.abs(reached / wanted - 1)).toBeLessThanOrEqual(0.01);
      expect(count).toBeLessThanOrEqual(most);
    }
  });

  it("takes what comes nearest where no factor reaches the loss", async () => {
    const { loss, count } = await search(10, (s) => (4 * s ** 2) / (s ** 2 + 900));
    expect(loss).toBeCloseTo(4, 3);
    expect(count).toBeLessThan(15);
  });
});
