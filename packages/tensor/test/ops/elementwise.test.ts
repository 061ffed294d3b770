import { expectClose } from "@lethe/testing/close";
import { testDevice } from "@lethe/testing/device";
import { finiteDifferences } from "@lethe/testing/gradient";
import { normal } from "@lethe/testing/random";
import { broadcastBinary } from "@lethe/testing/reference/broadcast";
import { describe, expect, test } from "vitest";
import { add, addInto, affine, clamp, clampBackward, div, mul, sub, sumTo } from "../../src/ops/elementwise.ts";

const device = await testDevice();
const input = (shape: readonly number[]) => normal(shape.reduce((a, b) => a * b, 1));

const operations = [
  ["add", add, (a: number, b: number) => a + b],
  ["sub", sub, (a: number, b: number) => a - b],
  ["mul", mul, (a: number, b: number) => a * b],
  ["div", div, (a: number, b: number) => a / b],
] as const;

const shapes: [number[], number[]][] = [
  [[7], [7]],
  [[], []],
  [
    [3, 5, 129],
    [3, 5, 129],
  ],
  [[2, 3, 5], [5]],
  [
    [2, 3, 5],
    [2, 3, 1],
  ],
  [
    [2, 1, 5],
    [3, 1],
  ],
  [
    [4, 1, 3, 1, 2],
    [1, 5, 1, 7, 1],
  ],
  [[], [3, 4]],
  [[3, 4], []],
  [
    [2, 3, 1, 2, 1, 3],
    [1, 1, 2, 1, 3, 1],
  ],
  [[1], [1, 1, 1]],
  [[9, 8], [8]],
  [
    [9, 1],
    [9, 8],
  ],
  [
    [2, 1, 8],
    [3, 1],
  ],
];

describe.each(operations)("%s", (name, operation, f) => {
  test.each(shapes)("%j with %j", async (aShape, bShape) => {
    const a = input(aShape);
    const b = input(bShape).map((value) => (name === "div" ? value + Math.sign(value) : value));
    const out = operation(device.tensor(a, aShape), device.tensor(b, bShape));
    const expected = broadcastBinary(f, a, aShape, b, bShape);
    expect(out.shape).toEqual(expected.shape);
    expectClose(await out.read(), expected.values, { atol: 1e-6, rtol: 1e-6 });
  });
});

test("a tensor with itself", async () => {
  const x = device.tensor([1, -2, 3], [3]);
  expect([...(await mul(x, x).read())]).toEqual([1, 4, 9]);
});

test("tensors without elements", async () => {
  expect((await add(device.tensor([], [0, 3]), device.tensor([1, 2, 3], [3])).read()).length).toBe(0);
  expect((await affine(device.tensor([], [0]), { factor: 2 }).read()).length).toBe(0);
});

test("shapes that do not broadcast are refused", () => {
  const a: readonly number[] = [2, 3];
  expect(() => add(device.tensor(input(a), a), device.tensor(input([4]), [4] as readonly number[]))).toThrow(
    /add: shapes \[2, 3\] and \[4\] do not broadcast: 3 against 4/,
  );
});

test("affine", async () => {
  const x = input([3, 7]);
  expectClose(
    await affine(device.tensor(x, [3, 7]), { factor: -2.5, offset: 0.5 }).read(),
    x.map((v) => v * -2.5 + 0.5),
  );
  expectClose(await affine(device.tensor(x, [3, 7]), {}).read(), x);
});

test("clamp and its gradient", async () => {
  const [x, gradient] = [input([101]), input([101])];
  const limits = { min: -0.5, max: 0.75 };
  const f = (v: ArrayLike<number>) =>
    Float64Array.from(v, (value) => Math.min(Math.max(value, limits.min), limits.max));
  const tensor = device.tensor(x, [101]);
  expectClose(await clamp(tensor, limits).read(), f(x));
  const [expected] = finiteDifferences(f, [x], gradient);
  expectClose(await clampBackward(tensor, device.tensor(gradient, [101]), limits).read(), expected!);
  expect(() => clamp(tensor, { min: 1, max: 0 })).toThrow(/clamp: min 1 is not at most max 0/);
});

test("addInto adds in place", async () => {
  const [target, x] = [input([9]), input([9])];
  const sum = device.tensor(target, [9]);
  addInto(sum, device.tensor(x, [9]), { factor: -0.5 });
  expectClose(
    await sum.read(),
    target.map((v, i) => v - 0.5 * x[i]!),
  );
  expect(() => addInto(sum as never, device.tensor(x, [3, 3]) as never)).toThrow(
    "addInto: x has shape [3, 3] and must have [9]",
  );
});

test.each([
  [[2, 3, 5], [5]],
  [
    [2, 3, 5],
    [2, 3, 1],
  ],
  [
    [2, 3, 5],
    [1, 3, 1],
  ],
  [[2, 3, 5], []],
  [
    [3, 4],
    [3, 4],
  ],
  [
    [4, 5, 3, 7, 2],
    [5, 1, 7, 1],
  ],
  [[150, 3], [3]],
  [[1, 1], [1]],
])("sumTo undoes broadcasting: %j to %j", async (from, to) => {
  const x = input(from);
  const f = (v: Float64Array) => broadcastBinary((a, b) => a + b, v, to, new Float64Array(x.length), from).values;
  const [expected] = finiteDifferences(f, [input(to)], x);
  const sum = sumTo(device.tensor(x, from), to);
  expect(sum.shape).toEqual(to);
  expectClose(await sum.read(), expected!);
});

test("sumTo refuses a shape that does not broadcast", () => {
  expect(() => sumTo(device.tensor(input([2, 3]), [2, 3]), [2])).toThrow(/sumTo: \[2\] does not broadcast to \[2, 3\]/);
});
