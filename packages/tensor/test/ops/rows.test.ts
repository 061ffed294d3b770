import { expectClose } from "@lethe/testing/close";
import { testDevice } from "@lethe/testing/device";
import { integer, normal } from "@lethe/testing/random";
import { describe, expect, test } from "vitest";
import type { FloatDType } from "../../src/dtype.ts";
import { embedding, gatherRows, scatterRows, scatterRowsInto } from "../../src/ops/rows.ts";

const device = await testDevice();

test.each([
  ["f32", 7],
  ["f16", 7],
  ["bf16", 7],
  ["bf16", 64],
  ["f16", 1],
] as [FloatDType, number][])("embedding from a table of %s, rows of %i", async (dtype, width) => {
  const table = device.tensor(normal(13 * width), [13, width], dtype);
  const values = await table.read();
  const ids = Array.from({ length: 15 }, () => integer(0, 12));
  const out = embedding(table, device.tensor(ids, [3, 5], "u32"));
  expect(out.shape).toEqual([3, 5, width]);
  expect([...(await out.read())]).toEqual(ids.flatMap((id) => [...values.slice(id * width, (id + 1) * width)]));
});

test("an id past the table gives a row of NaN", async () => {
  const out = await embedding(device.tensor([1, 2, 3, 4], [2, 2]), device.tensor([1, 2], [2], "u32")).read();
  expect([...out]).toEqual([3, 4, Number.NaN, Number.NaN]);
});

test("gatherRows keeps the other axes", async () => {
  const x = normal(4 * 3 * 5);
  const out = gatherRows(device.tensor(x, [4, 3, 5]), device.tensor([2, 0, 2], [3], "u32"));
  expect(out.shape).toEqual([3, 3, 5]);
  expect([...(await out.read())]).toEqual([2, 0, 2].flatMap((row) => [...x.slice(row * 15, (row + 1) * 15)]));
});

describe("scatterRows", () => {
  test.each([
    [1, 1, 1],
    [17, 5, 7],
    [40, 300, 3],
    [100, 4, 65],
  ])("%i rows into %i of width %i", async (entries, rows, width) => {
    const values = normal(entries * width);
    const index = Array.from({ length: entries }, () => integer(0, rows - 1));
    const expected = new Float64Array(rows * width);
    index.forEach((row, k) => {
      for (let c = 0; c < width; c++) expected[row * width + c]! += values[k * width + c]!;
    });
    const run = () =>
      scatterRows(device.tensor(values, [entries, width]), device.tensor(index, [entries], "u32"), { rows }).read();
    const [first, second] = [await run(), await run()];
    expectClose(first, expected);
    expect(first).toEqual(second);
  });

  test("into a target, rows are added to what it holds", async () => {
    const [values, start] = [normal(17 * 7), normal(5 * 7)];
    const index = Array.from({ length: 17 }, () => integer(0, 4));
    const expected = Float64Array.from(start);
    index.forEach((row, k) => {
      for (let c = 0; c < 7; c++) expected[row * 7 + c]! += values[k * 7 + c]!;
    });
    const target = device.tensor(start, [5, 7]);
    scatterRowsInto(target, device.tensor(values, [17, 7]), device.tensor(index, [17], "u32"));
    expectClose(await target.read(), expected);
    expect(() => scatterRowsInto(target, device.empty([2, 3]), device.tensor([0, 1], [2], "u32"))).toThrow(
      "scatterRowsInto: target has shape [5, 7] and must have [5, 3]",
    );
  });

  test("an index beyond the last row is left out", async () => {
    const out = scatterRows(device.tensor([1, 2, 3], [3, 1]), device.tensor([1, 7, 1], [3], "u32"), { rows: 2 });
    expect([...(await out.read())]).toEqual([0, 4]);
  });

  test("shapes that do not fit are refused", () => {
    const index = device.tensor([0, 1], [2], "u32");
    expect(() => scatterRows(device.tensor([1, 2, 3], [3, 1]), index, { rows: 2 })).toThrow(
      /scatterRows: values has shape \[3, 1\] and must have \[2, 1\]/,
    );
    expect(() => gatherRows(device.tensor([1], [1]), device.tensor([0], [], "u32"))).toThrow(
      "index has shape [] and must have [1]",
    );
  });
});
