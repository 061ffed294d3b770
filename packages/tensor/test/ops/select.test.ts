import { testDevice } from "@lethe/testing/device";
import { integer, normal } from "@lethe/testing/random";
import { expect, test } from "vitest";
import { argmax, topK } from "../../src/ops/select.ts";

const device = await testDevice();

/** Indices of a row from the largest element to the smallest. Among equals the lower index comes first; NaN comes before all. */
const ranking = (row: Float32Array) =>
  [...row.keys()].sort((i, j) => {
    const [a, b] = [row[i]!, row[j]!].map((value) => (Number.isNaN(value) ? Infinity : value));
    if (Number.isNaN(row[i]!) !== Number.isNaN(row[j]!)) return Number.isNaN(row[i]!) ? -1 : 1;
    return a === b ? i - j : b! - a!;
  });

test.each([
  [5, 7, 3],
  [1, 1, 1],
  [33, 64, 4],
  [3, 1001, 10],
  [2, 32_003, 5],
  [9, 36, 36],
  [3, 8196, 9],
])("argmax and topK of %i rows of %i", async (rows, width, k) => {
  const values = normal(rows * width);
  // Ties on purpose.
  for (let i = 0; i < rows * 3; i++) values[integer(0, values.length - 1)] = 5;
  const x = device.tensor(values, [rows, width]);
  const ranked = Array.from({ length: rows }, (_, row) => ranking(values.slice(row * width, (row + 1) * width)));
  expect([...(await argmax(x).read())]).toEqual(ranked.map((order) => order[0]));
  const top = topK(x, k);
  expect(top.indices.shape).toEqual([rows, k]);
  expect([...(await top.indices.read())]).toEqual(ranked.flatMap((order) => order.slice(0, k)));
  const expected = ranked.flatMap((order, row) => order.slice(0, k).map((i) => values[row * width + i]!));
  expect([...(await top.values.read())]).toEqual(expected);
});

test("k of a row's width sorts the row; leading axes stay", async () => {
  const values = normal(2 * 3 * 9);
  const x = device.tensor(values, [2, 3, 9]);
  expect(argmax(x).shape).toEqual([2, 3]);
  const sorted = await topK(x, 9).values.read();
  expect([...sorted.slice(9, 18)]).toEqual([...values.slice(9, 18)].sort((a, b) => b - a));
});

test("NaN counts as the largest; zeros of both signs are equal; infinities are in order", async () => {
  const rows = [
    [1, Number.NaN, 3, Number.NaN],
    [-0, 0, -1, -2],
    [-Infinity, -1, Infinity, 3e38],
    [-Infinity, -Infinity, -Infinity, -Infinity],
  ];
  const x = device.tensor(rows.flat(), [4, 4]);
  expect([...(await argmax(x).read())]).toEqual([1, 0, 2, 0]);
  expect([...(await topK(x, 2).indices.read())]).toEqual([1, 3, 0, 1, 2, 3, 0, 1]);
});

test("k larger than a row is refused", () => {
  expect(() => topK(device.tensor([1, 2], [2]), 3)).toThrow(/topK: k is 3; \[2\] has rows of 2/);
});
