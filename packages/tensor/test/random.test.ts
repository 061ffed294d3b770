import { expect, test } from "vitest";
import { integerBelow, randomOf, shuffled } from "../src/random.ts";

test("random numbers are mulberry32's", () => {
  // FNV-1a of "a" is 0xe40c292c (Fowler, Noll and Vo's own test vector); mulberry32 from there, computed independently in C arithmetic.
  const next = randomOf("a");
  expect([next(), next(), next()].map((value) => value * 2 ** 32)).toEqual([2670119670, 1323809741, 1575654966]);
});

test("random numbers are even enough: 16 bins of 16 000 draws stay within five standard deviations", () => {
  const random = randomOf(7, "bins");
  const bins = new Array<number>(16).fill(0);
  for (let i = 0; i < 16_000; i++) bins[integerBelow(16, random)]! += 1;
  const deviation = Math.sqrt(16_000 * (1 / 16) * (15 / 16));
  for (const count of bins) expect(Math.abs(count - 1000)).toBeLessThan(5 * deviation);
});

test("random numbers differ by key, also by neighbouring seeds", () => {
  const first = [0, 1, 2, "0/1", "epoch"].map((key) => randomOf(key)());
  expect(new Set(first).size).toBe(first.length);
});

test("shuffling loses nothing and leaves the original as it was", () => {
  const items = Array.from({ length: 20 }, (_, i) => i);
  const mixed = shuffled(items, randomOf(1));
  expect(mixed).not.toEqual(items);
  expect(mixed.toSorted((a, b) => a - b)).toEqual(items);
  expect(items[0]).toBe(0);
});
