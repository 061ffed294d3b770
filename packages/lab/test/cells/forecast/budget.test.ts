import { expect, test } from "vitest";
import { chooseWithin, parseTime, secondsOf } from "../../../src/cells/forecast/budget.ts";
import { studies } from "../../../src/studies/list.ts";
import type { RestorationOptions } from "../../../src/studies/restoration/schema.ts";
import { fakeWork } from "./fake-work.ts";

const rates = {
  load: 0,
  prompts: { fixed: 0, each: 0.04 },
  column: { fixed: 0, each: 0.01 },
  update: 1,
  batch: { fixed: 5, each: 0 },
  keep: 0,
  studies: { restoration: { fixed: 0.1, each: 0 } },
};
const measured = { rates, work: fakeWork, studies };
const full = { epochs: 10, stepsPerEpoch: 3, targetQuestions: 10, unrelatedQuestions: 50, studies: fakeWork.studies };

test("a budget that suffices changes nothing, and a smaller one is kept at the least cost to the result", () => {
  const all = secondsOf(measured, full);
  expect(chooseWithin(all, measured, full)).toEqual(full);
  expect(chooseWithin(all - 1, measured, full)).toMatchObject({ epochs: 9, unrelatedQuestions: 50 });
  let last = Number.POSITIVE_INFINITY;
  for (let budget = all; budget > 550; budget -= 50) {
    const choice = chooseWithin(budget, measured, full);
    const seconds = secondsOf(measured, choice);
    expect(seconds).toBeLessThanOrEqual(budget);
    expect(seconds).toBeLessThanOrEqual(last);
    last = seconds;
    const { windowStride } = choice.studies.restoration as RestorationOptions;
    // A curve keeps its shape: eight centres of thirty.
    expect(Math.ceil(30 / windowStride)).toBeGreaterThanOrEqual(8);
    if (choice.targetQuestions < 10) expect(windowStride).toBe(4);
    // Steps are the last to go.
    if (choice.epochs * choice.stepsPerEpoch < 18) expect(choice).toMatchObject({ targetQuestions: 5, epochs: 2 });
  }
  expect(() => chooseWithin(10, measured, full)).toThrow(/takes at least \d+ minutes here. Give --budget \d+m/);
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
