import { expect, test } from "vitest";
import { meanOfLists } from "../../src/report/panels.ts";

test("a run that ended early goes on at its last value in the mean", () => {
  expect(
    meanOfLists([
      [1, 0.5, 0.25],
      [1, 0],
    ]),
  ).toEqual([1, 0.25, 0.125]);
});
