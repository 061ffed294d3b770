import { expect, test } from "vitest";
import { ratioOf, showPercent, showRatio, showSpread, spreadOf } from "./spread.ts";

test("a spread is the median and the quartiles of the rounds", () => {
  expect(spreadOf([5, 1, 3, 2, 4])).toEqual({ median: 3, low: 2, high: 4 });
  expect(spreadOf([7])).toEqual({ median: 7, low: 7, high: 7 });
  expect(spreadOf([3, 9, 6])).toEqual({ median: 6, low: 3, high: 9 });
});

test("a ratio is taken in each round, so that load that meets both leaves it as it is", () => {
  expect(ratioOf([2, 20, 4], [1, 10, 2])).toEqual({ median: 2, low: 2, high: 2 });
  expect(ratioOf([1, 2, 3], [1, 1, 1], 10).median).toBe(20);
});

test("a spread is shown with as many digits as it has", () => {
  expect(showSpread({ median: 9.84, low: 9.11, high: 10.4 }, showRatio)).toBe("9.8 (9.1–10)");
  expect(showSpread({ median: 0.521, low: 0.519, high: 0.522 }, showPercent)).toBe("52");
});
