import { testDevice } from "@lethe/testing/device";
import { expect, test } from "vitest";
import { batchOf, fewLengths, ModelUseError, stepOf } from "../src/index.ts";

const device = await testDevice();
const sequences = [[5, 6, 7], [8]];

test("padding on the left: positions count from each sequence's first token", async () => {
  const batch = batchOf(device, sequences, { padId: 3 });
  expect([...(await batch.ids.read())]).toEqual([5, 6, 7, 3, 3, 8]);
  expect([...(await batch.positions.read())]).toEqual([0, 1, 2, 0, 0, 0]);
  expect([...(await batch.starts.read())]).toEqual([0, 2]);
  expect([batch.row(0, 0), batch.row(0, -1), batch.row(1, 0)]).toEqual([0, 2, 5]);
  expect(batch.ids.shape).toEqual([2, 3]);
});

test("padding on the right: every sequence begins in column 0", async () => {
  const batch = batchOf(device, sequences, { pad: "right" });
  expect([...(await batch.ids.read())]).toEqual([5, 6, 7, 8, 0, 0]);
  expect([...(await batch.starts.read())]).toEqual([0, 0]);
  expect([batch.row(1, 0), batch.row(1, -1)]).toEqual([3, 3]);
});

test("columns may be more than tokens, on the side of the padding", async () => {
  const left = batchOf(device, [[4, 5, 6], [7]], { padTo: fewLengths, padId: 9 });
  expect([...(await left.ids.read())]).toEqual([9, 9, 9, 9, 9, 4, 5, 6, 9, 9, 9, 9, 9, 9, 9, 7]);
  expect([...(await left.starts.read())]).toEqual([5, 7]);
  expect(left).toMatchObject({ firsts: [5, 7], lengths: [3, 1], span: 3 });
  const right = batchOf(device, [[4, 5, 6], [7]], { pad: "right", padTo: () => 4 });
  expect([...(await right.positions.read())]).toEqual([0, 1, 2, 0, 0, 0, 0, 0]);
  expect(right).toMatchObject({ firsts: [0, 0], lengths: [3, 1] });
  expect(() => batchOf(device, [[4, 5, 6]], { padTo: () => 2 })).toThrow("padTo gives 2 for 3, expected a whole");
});

test("the few lengths are long enough, waste less than an eighth, and are few", () => {
  const lengths = Array.from({ length: 4096 }, (_, i) => i + 1);
  for (const length of lengths) {
    expect(fewLengths(length)).toBeGreaterThanOrEqual(length);
    expect(fewLengths(length) - length).toBeLessThan(Math.max(8, length / 8));
    expect(fewLengths(fewLengths(length))).toBe(fewLengths(length));
  }
  expect(new Set(lengths.map(fewLengths)).size).toBe(16 + 5 * 8);
});

test("empty batches and values that are not token ids are refused", () => {
  expect(() => batchOf(device, [])).toThrow(ModelUseError);
  expect(() => batchOf(device, [[1], []])).toThrow("sequence 1 has no tokens");
  expect(() => batchOf(device, [[1, 2.5]])).toThrow("token 1 of sequence 0 is 2.5");
  expect(() => batchOf(device, [[1, -1]])).toThrow("-1, expected a token id");
  for (const padId of [-1, 1.5, 2 ** 32])
    expect(() => batchOf(device, sequences, { padId })).toThrow(`padId is ${padId}, expected a token id`);
  expect(() => batchOf(device, sequences, { pad: "both" as "left" })).toThrow("pad is both, expected left or right");
  expect(() => batchOf(device, sequences).row(1, 1)).toThrow("token 1 of sequence 1 is not in this batch");
});

test("a step has one token for each sequence, and its sequences end together", async () => {
  const cached = { starts: [0, 2], lengths: [3, 1] };
  const step = stepOf(device, [9, 4], cached);
  expect([...(await step.positions.read())]).toEqual([3, 1]);
  expect([...(await step.starts.read())]).toEqual([0, 2]);
  expect(step).toMatchObject({ firsts: [0, 0], lengths: [1, 1], span: 4, cachedColumns: 3, largestId: 9 });
  expect(() => stepOf(device, [1.7, 4], cached)).toThrow("stepOf: token 0 of sequence 0 is 1.7, expected a token id");
  expect(() => stepOf(device, [9, -1], cached)).toThrow(ModelUseError);
  expect(() => stepOf(device, [9], cached)).toThrow("tokens of 1 sequences follow those that begin at columns [0,2]");
  expect(() => stepOf(device, [9, 4], { starts: [0, 2], lengths: [3, 2] })).toThrow("end at one column");
  expect(() => stepOf(device, [], { starts: [], lengths: [] })).toThrow(ModelUseError);
});

test("a step may have several tokens for each sequence, padded on the right", async () => {
  // The second sequence begins with this step.
  const cached = { starts: [0, 3, 1], lengths: [3, 0, 2] };
  const step = stepOf(device, [[9, 8], [7], [6, 5, 4]], cached);
  expect([...(await step.ids.read())]).toEqual([9, 8, 0, 7, 0, 0, 6, 5, 4]);
  expect([...(await step.positions.read())]).toEqual([3, 4, 0, 0, 0, 0, 2, 3, 4]);
  expect([...(await step.starts.read())]).toEqual([0, 3, 1]);
  expect(step).toMatchObject({ firsts: [0, 0, 0], lengths: [2, 1, 3], span: 5, cachedColumns: 3 });
  expect(step.sequences).toEqual([
    { start: 0, end: 5 },
    { start: 3, end: 4 },
    { start: 1, end: 6 },
  ]);
  expect([step.row(0, -1), step.row(1, 0), step.row(2, -1)]).toEqual([1, 3, 8]);
  expect(() => step.row(1, 1)).toThrow("token 1 of sequence 1 is not in this batch");
  expect(() => stepOf(device, [[9], [], 1], cached)).toThrow("stepOf: sequence 1 has no tokens");
  expect(() => stepOf(device, [[9, 8], [7, -1], 6], cached)).toThrow("stepOf: token 1 of sequence 1 is -1");
});
