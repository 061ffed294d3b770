import { median } from "../packages/lab/src/profile/measure.ts";

/** What rounds say of a figure: their median, and the quartiles, between which half of the rounds lie. */
export interface Spread {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

/** The spread of some rounds' values. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const last = sorted.length - 1;
  return { median: median(values), low: sorted[Math.floor(last / 4)]!, high: sorted[Math.ceil((3 * last) / 4)]! };
}

/** How many times as long `a` takes as `b`, times a factor. In each round both meet the same load. */
export function ratioOf(a: readonly number[], b: readonly number[], factor = 1): Spread {
  return spreadOf(a.map((seconds, round) => (factor * seconds) / b[round]!));
}

/** "9.8 (9.1–10.4)", or the median alone where the rounds say the same to as many digits. */
export function showSpread({ median, low, high }: Spread, show: (value: number) => string): string {
  const [middle, from, to] = [median, low, high].map(show);
  return from === to ? middle! : `${middle} (${from}–${to})`;
}

/** A ratio with two digits at least. */
export const showRatio = (value: number): string => value.toFixed(value < 10 ? 1 : 0);

/** A share as a percentage. */
export const showPercent = (value: number): string => (100 * value).toFixed(0);
