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
