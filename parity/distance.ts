/** Distances between two results, as README.md states their tolerances. A NaN is farther than any number. */

/** A distance, and the prompt, weight or hook point that it belongs to. */
export interface Distance {
  readonly error: number;
  readonly where: string;
}

/** The largest of one or more distances; NaN is larger than any number. */
export function farthest<D extends Distance>(distances: readonly D[]): D {
  const beyond = (a: number, b: number) => a > b || (Number.isNaN(a) && !Number.isNaN(b));
  return distances.reduce((worst, distance) => (beyond(distance.error, worst.error) ? distance : worst));
}

/** The largest |a − e| / (1 + |e|): within t of 0 where every element is within t + t·|e|. */
export function elementwise(where: string, actual: ArrayLike<number>, expected: ArrayLike<number>): Distance {
  let error = actual.length === expected.length ? 0 : Number.NaN;
  for (let i = 0; i < expected.length; i++) {
    // Math.max keeps a NaN.
    error = Math.max(error, Math.abs(actual[i]! - expected[i]!) / (1 + Math.abs(expected[i]!)));
  }
  return { error, where };
}

/** ‖a − e‖ / ‖e‖, in float64. */
export function normwise(where: string, actual: ArrayLike<number>, expected: ArrayLike<number>): Distance {
  let [difference, size] = [actual.length === expected.length ? 0 : Number.NaN, 0];
  for (let i = 0; i < expected.length; i++) {
    difference += (actual[i]! - expected[i]!) ** 2;
    size += expected[i]! ** 2;
  }
  return { error: difference === 0 ? 0 : Math.sqrt(difference / size), where };
}

/** How many values differ. */
export function unequal(where: string, actual: ArrayLike<number>, expected: ArrayLike<number>): Distance {
  let error = Math.abs(actual.length - expected.length);
  for (let i = 0; i < Math.min(actual.length, expected.length); i++) if (actual[i] !== expected[i]) error++;
  return { error, where };
}
