import { expect, test } from "vitest";
import { chooseWithin, parseTime, secondsOf } from "../../../src/cells/forecast/budget.ts";
import { fakeWork } from "./fake-work.ts";

const rates = {
  load: 0,
  prompts: { fixed: 0, each: 0.1 },
  column: { fixed: 0, each: 0.01 },
  update: 1,
  batch: { fixed: 5, each: 0 },
  window: { fixed: 0.1, each: 0 },
};
const work = fakeWork;
const full = { epochs: 10, stepsPerEpoch: 3, targetQuestions: 10, unrelatedQuestions: 50, windowStride: 1 };

test("a budget that suffices changes nothing, and a smaller one is kept at the least cost to the result", () => {
  const all = secondsOf(rates, work, full);
  expect(chooseWithin(all, rates, work, full)).toEqual(full);
  expect(chooseWithin(all - 1, rates, work, full)).toMatchObject({ epochs: 9, unrelatedQuestions: 50 });
  let last = Number.POSITIVE_INFINITY;
  for (let budget = all; budget > 550; budget -= 50) {
    const choice = chooseWithin(budget, rates, work, full);
    const seconds = secondsOf(rates, work, choice);
    expect(seconds).toBeLessThanOrEqual(budget);
    expect(seconds).toBeLessThanOrEqual(last);
    last = seconds;
    // Steps are the last to go.
    if (choice.epochs * choice.stepsPerEpoch < 18) expect(choice).toMatchObject({ targetQuestions: 5, epochs: 2 });
  }
  expect(() => chooseWithin(10, rates, work, full)).toThrow(/takes at least \d+ minutes here. Give --budget \d+m/);
});

test.each([
  ["30m", 1800],
  ["90s", 90],
  ["1h30m", 5400],
  ["", undefined],
  ["5", undefined],
  ["0m", undefined],
  ["m", undefined],
])("%j is %s seconds", (text, seconds) => expect(parseTime(text)).toBe(seconds));
