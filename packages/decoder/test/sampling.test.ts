import { normal, random } from "@lethe/testing/random";
import { expect, test } from "vitest";
import { sample } from "../src/generation/sampling.ts";

const probabilities = [0.5, 0.25, 0.15, 0.1];
const logits = Float32Array.from(probabilities, Math.log);

/** How often each token is drawn, over uniforms spread evenly. */
function shares(options: Parameters<typeof sample>[1]): number[] {
  const draws = 1000;
  const counts = [0, 0, 0, 0];
  for (let i = 0; i < draws; i++) counts[sample(logits, options, (i + 0.5) / draws)]!++;
  return counts.map((count) => count / draws);
}

test("at temperature 1 tokens are drawn as often as they are likely", () => {
  expect(shares({ temperature: 1 })).toEqual(probabilities);
});

test("temperature sharpens", () => {
  const squares = probabilities.map((p) => p * p);
  const total = squares.reduce((sum, p) => sum + p);
  for (const [i, share] of shares({ temperature: 0.5 }).entries()) expect(share).toBeCloseTo(squares[i]! / total, 2);
});

test("top-k and top-p leave the likeliest, in their proportions", () => {
  expect(shares({ temperature: 1, topK: 1 })).toEqual([1, 0, 0, 0]);
  expect(shares({ temperature: 1, topK: 2 })[0]).toBeCloseTo(2 / 3, 2);
  expect(shares({ temperature: 1, topP: 0.4 })).toEqual([1, 0, 0, 0]);
  expect(shares({ temperature: 1, topP: 0.74 })[1]).toBeCloseTo(1 / 3, 2);
  expect(shares({ temperature: 1, topP: 0.76 })[2]).toBeCloseTo(0.15 / 0.9, 2);
});

/**
 * Pearson's statistic of draws against probabilities, less its mean, in its standard deviations. Under the distribution that is asked for it
 * is about standard normal: 6 is passed less than once in a million runs.
 */
function surprise(counts: readonly number[], probabilities: readonly number[]): number {
  const draws = counts.reduce((sum, count) => sum + count, 0);
  const squares = probabilities.map((p, i) => (counts[i]! - draws * p) ** 2 / (draws * p));
  const freedom = probabilities.length - 1;
  return (squares.reduce((sum, square) => sum + square, 0) - freedom) / Math.sqrt(2 * freedom);
}

test.each([1, 0.6, 1.7])("at temperature %f a whole vocabulary is drawn from in its distribution", (temperature) => {
  const row = normal(200, 0.7);
  const weights = Array.from(row, (logit) => Math.exp(logit / temperature));
  const total = weights.reduce((sum, weight) => sum + weight);
  const wanted = weights.map((weight) => weight / total);
  const counts = wanted.map(() => 0);
  for (let i = 0; i < 40_000; i++) counts[sample(row, { temperature }, random())]!++;
  expect(surprise(counts, wanted)).toBeLessThan(6);
  // A distribution that is a little off is found out.
  const other = wanted.map((p, i) => p * (i % 2 ? 1.1 : 0.9));
  const mass = other.reduce((sum, p) => sum + p);
  expect(
    surprise(
      counts,
      other.map((p) => p / mass),
    ),
  ).toBeGreaterThan(6);
});

test("a token of no probability is never drawn, also at the ends of the range and where rounding leaves a little", () => {
  const last = 1 - 2 ** -32;
  const masked = Float32Array.of(-Infinity, 1, 0.5, -Infinity);
  for (const options of [{}, { topP: 0.99 }, { topK: 3 }])
    for (const uniform of [0, 0.3, 0.9, last]) expect([1, 2]).toContain(sample(masked, options, uniform));
  expect([0, last].map((uniform) => sample(masked, {}, uniform))).toEqual([1, 2]);
  const forced = Float32Array.of(3, Infinity, -Infinity, Infinity, 80);
  expect([0, 0.49, 0.51, last].map((uniform) => sample(forced, {}, uniform))).toEqual([1, 1, 3, 3]);
  // Far below the largest logit a probability is 0 in float64 too.
  expect(sample(Float32Array.of(-900, 0, -900), {}, last)).toBe(1);
});
