import type { Spread } from "../spread.ts";

/** A candidate, and how many times as fast it is as the plan's own choice. */
export interface Trial {
  readonly candidate: unknown;
  readonly times: Spread;
}

/** So much faster a candidate must be in the median of the rounds. */
const margin = 1.05;

/** Whether a candidate takes the place of a plan's own choice: faster by the margin, and in three of four rounds faster at all. */
export function better({ median, low }: Spread): boolean {
  return median >= margin && low > 1;
}

/** The fastest of the candidates that are better than the plan's own choice. */
export function fastest(trials: readonly Trial[]): Trial | undefined {
  return trials.filter(({ times }) => better(times)).toSorted((a, b) => b.times.median - a.times.median)[0];
}
