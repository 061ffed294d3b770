import { integerBelow, randomOf } from "@lethe/tensor";
import { quantile } from "simple-statistics";

/** How often concepts or questions are drawn anew. */
export const DRAWS = 1000;

/**
 * The draws of a bootstrap: lists of `count` positions from 0 to `count` − 1, each drawn with replacement. The same count gives the same
 * draws, so that numbers of two models can be drawn together and compared.
 */
export function drawsOf(count: number): number[][] {
  const random = randomOf("bootstrap", count);
  return Array.from({ length: DRAWS }, () => Array.from({ length: count }, () => integerBelow(count, random)));
}

/** From where to where the middle 95% of the draws' values lie. */
export function intervalOf(values: readonly number[]): [low: number, high: number] {
  return quantile([...values], [0.025, 0.975]) as [number, number];
}

/** {@link intervalOf} at each position of the draws' lists. */
export function bandOf(lists: readonly (readonly number[])[]): [low: number, high: number][] {
  return lists[0]!.map((_, position) => intervalOf(lists.map((list) => list[position]!)));
}
