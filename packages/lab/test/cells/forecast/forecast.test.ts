import { expect, test } from "vitest";
import { forecastOf, type Work } from "../../../src/cells/forecast/forecast.ts";
import { keepingSeconds } from "../../../src/cells/forecast/keeping.ts";
import { at, lineThrough } from "../../../src/studies/line.ts";
import { studies } from "../../../src/studies/list.ts";
import { fakeWork } from "./fake-work.ts";

const rates = {
  load: 7,
  prompts: { fixed: 1, each: 0.01 },
  column: { fixed: 0.1, each: 0.001 },
  update: 2,
  batch: { fixed: 0.5, each: 0.02 },
  keep: 9,
  studies: { restoration: { fixed: 0.001, each: 0.0001 } },
};

const work: Work = {
  ...fakeWork,
  loads: 2,
  referenceTokens: 5000,
  size: { depth: 6, questions: 10, tokens: 50 },
  studies: { restoration: { ...fakeWork.studies.restoration, windowRadius: 1, windowStride: 2 } },
};

test("the time of each stage follows from rates and counts", () => {
  const { seconds, stages } = forecastOf(rates, work, studies);
  // A pass over 1200 tokens, and 29 columns of 60 answers.
  const asking = 1 + 12 + 29 * 0.16;
  // The same with 30 more tokens of each in the pass.
  const answering = asking + 18;
  // Windows around layers 0, 2 and 4 run 6, 5 and 3 layers.
  const setting = 500 * (3 * 0.001 + 14 * 0.0001);
  const expected = {
    "loading the model": 14,
    "asking the vanilla model": asking,
    unlearning: 30 * (2 + 7 * 16.5) + 50,
    "keeping the training": keepingSeconds({ steps: 30, step: 2 + 7 * 16.5, epochs: 10, answering, keep: 9 }),
    answering: 10 * answering,
    "restoring m": setting,
    "restoring A": setting,
  };
  expect(Object.keys(stages)).toEqual(Object.keys(expected));
  for (const [stage, time] of Object.entries(expected)) expect(stages[stage], stage).toBeCloseTo(time, 9);
  expect(seconds).toBeCloseTo(
    Object.values(expected).reduce((sum, time) => sum + time, 0),
    9,
  );
});

test("a cell whose model is loaded and asked, without restoration, takes the rest", () => {
  const { stages } = forecastOf(rates, { ...work, loads: 0, asking: false, studies: {} }, studies);
  expect(stages).toMatchObject({ "loading the model": 0, "asking the vanilla model": 0 });
  expect(Object.keys(stages)).toHaveLength(5);
});

test("keeping takes its share: after a minute and at most a tenth of the time, and only the weights at the end", () => {
  const short = { steps: 5, step: 10, epochs: 1, answering: 5, keep: 3 };
  expect(keepingSeconds(short)).toBe(0);
  // After steps 6 (60 s) and 12.
  expect(keepingSeconds({ ...short, steps: 14 })).toBe(6);
  // 90 s are needed for one of 9 s: after step 6 (60 s, the first), 15 and 20 with its answers, of the weights alone.
  expect(keepingSeconds({ ...short, steps: 20, answering: 45, keep: 9 })).toBe(9 + 9 + 3);
});

test("a line goes through two measurements, and through the origin where noise makes it fall", () => {
  expect(at(lineThrough([10, 3], [20, 5]), 40)).toBeCloseTo(9, 9);
  expect(lineThrough([10, 3], [20, 2])).toEqual({ fixed: 0, each: 0.1 });
  expect(lineThrough([10, 1], [20, 5])).toEqual({ fixed: 0, each: 0.25 });
  expect(lineThrough([20, 5], [20, 5])).toEqual({ fixed: 0, each: 0.25 });
});
