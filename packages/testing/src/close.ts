import { expect } from "vitest";

/**
 * Asserts that every element is within `atol + rtol·|expected|` of a float64 reference, and names the worst one. NaN never passes
 * unless it is expected. The default suits sums of a few hundred f32 terms of order 1.
 */
export function expectClose(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  { atol = 1e-5, rtol = 1e-4, label = "value" } = {},
): void {
  expect(actual.length, `${label}: length`).toBe(expected.length);
  let worst = -1;
  let worstExcess = 0;
  for (let i = 0; i < expected.length; i++) {
    const [a, e] = [actual[i]!, expected[i]!];
    if (Object.is(a, e) || a === e) continue;
    const excess = Math.abs(a - e) / (atol + rtol * Math.abs(e));
    if (!(excess <= 1) && !(excess <= worstExcess)) {
      worst = i;
      worstExcess = Number.isNaN(excess) ? Infinity : excess;
    }
  }
  if (worst >= 0)
    expect.fail(
      `${label}[${worst}] is ${actual[worst]}, expected ${expected[worst]} (${worstExcess.toPrecision(3)} times the tolerance)`,
    );
}
