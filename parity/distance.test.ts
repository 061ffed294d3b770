import { expect, test } from "vitest";
import { elementwise, farthest, normwise, unequal } from "./distance.ts";

const error = (measure: typeof elementwise, actual: number[], expected: number[]) =>
  measure("here", actual, expected).error;

test("small elements are compared absolutely and large ones relatively; norms are those of whole tensors", () => {
  expect(error(elementwise, [0.1, 101], [0, 99])).toBe(0.1);
  expect(error(normwise, [3, 4.5], [3, 4])).toBeCloseTo(0.1);
  expect(error(normwise, [0, 0], [0, 0])).toBe(0);
  expect(error(normwise, [1e-9, 0], [0, 0])).toBe(Infinity);
  expect(error(unequal, [1, 2, 3], [1, 5])).toBe(2);
});

test("a NaN or a missing value is never near", () => {
  for (const measure of [elementwise, normwise]) {
    expect(error(measure, [Number.NaN, 1], [0, 1]), measure.name).toBeNaN();
    expect(error(measure, [1], [1, 1]), measure.name).toBeNaN();
  }
  expect(error(unequal, [Number.NaN], [Number.NaN])).toBe(1);
});

test("the largest distance is found wherever it stands, and a NaN before any number", () => {
  const at = (...errors: number[]) => farthest(errors.map((error, i) => ({ error, where: `${i}` }))).where;
  expect(at(1, 3, 2)).toBe("1");
  expect(at(Number.NaN, 9)).toBe("0");
  expect(at(9, Number.NaN, 10)).toBe("1");
});
