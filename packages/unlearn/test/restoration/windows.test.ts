import { expect, test } from "vitest";
import { windowAround } from "../../src/restoration/index.ts";

test("a window covers the centre and its neighbours, clipped at the ends", () => {
  expect(windowAround(5, 2, 12)).toEqual([3, 4, 5, 6, 7]);
  expect(windowAround(0, 2, 12)).toEqual([0, 1, 2]);
  expect(windowAround(11, 2, 12)).toEqual([9, 10, 11]);
  expect(windowAround(1, 9, 3)).toEqual([0, 1, 2]);
  expect(windowAround(2, 0, 3)).toEqual([2]);
});
