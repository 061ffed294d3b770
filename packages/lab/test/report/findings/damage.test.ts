import { expect, test } from "vitest";
import { globalDamage } from "../../../src/report/findings/damage.ts";
import { findingsOf } from "../../../src/report/findings/judge.ts";
import { fakeResult } from "../../fake-cell.ts";

function finding(target: number[], unrelated: number[]) {
  const cell = fakeResult();
  return findingsOf([globalDamage], [{ ...cell, subject: { ...cell.subject, bleu: { target, unrelated } } }])[0]!;
}

test("holds where both fall together", () => {
  const { verdict, here } = finding([1, 0.6, 0.3, 0.1], [1, 0.9, 0.7, 0.5]);
  expect(verdict).toBe("holds");
  expect(here!.value).toBeCloseTo(1, 12);
});

test("does not hold where the unrelated answers stay, or fall in another order", () => {
  const stay = finding([1, 0.6, 0.3, 0.1], [1, 1, 1, 1]);
  expect(stay).toMatchObject({ verdict: "does not hold", here: { value: 0 } });
  expect(stay.also).toBe("BLEU lost at the end: target 0.90, unrelated 0.00");
  const other = finding([1, 0.2, 0.4, 0.6, 0.7], [1, 0.8, 0.6, 0.5, 0.4]);
  expect(other.verdict).toBe("does not hold");
  // Ranks 5 1 2 3 4 and 5 4 3 2 1: 1 − 6·(0 + 9 + 1 + 1 + 9) / (5·24) = 0.
  expect(other.here!.value).toBeCloseTo(0, 12);
});

test("cannot be said of a model that was not followed from epoch to epoch", () => {
  expect(finding([1, 0.1], [1, 0.5])).toMatchObject({
    verdict: "cannot be said",
    reason: "answers were not recorded at 4 epochs or more",
  });
});
