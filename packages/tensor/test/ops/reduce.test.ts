import { expectClose } from "@lethe/testing/close";
import { testDevice } from "@lethe/testing/device";
import { finiteDifferences } from "@lethe/testing/gradient";
import { normal } from "@lethe/testing/random";
import { describe, expect, test } from "vitest";
import { expand, max, maxBackward, mean, sum, sumOfSquares, sumOfSquaresInto } from "../../src/ops/reduce.ts";

const device = await testDevice();
const sizeOf = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

/** Reduces one axis, or everything, in float64. `kept` is the shape with the reduced axes of length 1. */
function reduceAxis(
  x: ArrayLike<number>,
  shape: number[],
  axis: number | undefined,
  f: (values: number[]) => number,
): { values: Float64Array; shape: number[]; kept: number[] } {
  const at = axis === undefined ? 0 : axis < 0 ? axis + shape.length : axis;
  const dims = axis === undefined ? [sizeOf(shape)] : shape;
  const [outer, n, inner] = [sizeOf(dims.slice(0, at)), dims[at]!, sizeOf(dims.slice(at + 1))];
  const values = new Float64Array(outer * inner);
  for (let o = 0; o < outer; o++)
    for (let i = 0; i < inner; i++)
      values[o * inner + i] = f(Array.from({ length: n }, (_, j) => x[(o * n + j) * inner + i]!));
  const kept = axis === undefined ? shape.map(() => 1) : shape.with(at, 1);
  return { values, shape: axis === undefined ? [] : shape.toSpliced(at, 1), kept };
}

const total = (values: number[]) => values.reduce((a, b) => a + b, 0);
const operations = {
  sum: [sum, total],
  mean: [mean, (values: number[]) => total(values) / values.length],
  max: [max, (values: number[]) => Math.max(...values)],
} as const;

const cases: [number[], number | undefined][] = [
  [[1], 0],
  [[7], -1],
  [[5, 3], 0],
  [[5, 3], 1],
  [[2, 3, 5], 1],
  [[2, 3, 5], undefined],
  [[], undefined],
  [[3, 1000], 1],
  [[300, 3], 0],
  [[2, 130, 7], 1],
  [[3, 41, 107], undefined],
];

describe.each(Object.entries(operations))("%s", (name, [operation, f]) => {
  test.each(cases)("%j over axis %s", async (shape, axis) => {
    const x = normal(sizeOf(shape));
    const options = axis === undefined ? {} : { axis };
    const out = operation(device.tensor(x, shape), options);
    const expected = reduceAxis(x, shape, axis, f);
    const tolerance = name === "max" ? { atol: 0, rtol: 0 } : {};
    expect(out.shape).toEqual(expected.shape);
    expectClose(await out.read(), expected.values, tolerance);
    const kept = operation(device.tensor(x, shape), { ...options, keepDims: true });
    expect(kept.shape).toEqual(expected.kept);
    expectClose(await kept.read(), expected.values, tolerance);
  });

  test("an axis that does not exist, and an empty one, are refused", () => {
    expect(() => operation(device.tensor([1], [1]), { axis: 1 })).toThrow(/axis 1 of \[1\], which has 1 axes/);
    expect(() => operation(device.tensor([], [0]))).toThrow(/\[0\] has nothing to reduce/);
    expect(() => operation(device.tensor([], [2, 0]), { axis: 1 })).toThrow(/\[2, 0\] has nothing to reduce/);
  });
});

const gradientCases = cases.flatMap(([shape, axis]) => [false, true].map((keepDims) => ({ shape, axis, keepDims })));

describe.each(gradientCases)("gradients at $shape over axis $axis, keepDims $keepDims", ({ shape, axis, keepDims }) => {
  const options = axis === undefined ? { keepDims } : { axis, keepDims };
  const x = normal(sizeOf(shape));
  const reduced = reduceAxis(x, shape, axis, total)[keepDims ? "kept" : "shape"];

  test("expand undoes sum", async () => {
    const gradient = normal(sizeOf(reduced));
    const out = expand(device.tensor(gradient, reduced), shape, options);
    expect(out.shape).toEqual(shape);
    if (x.length > 1000) {
      const sums = reduceAxis(await out.read(), shape, axis, total).values;
      const repeats = x.length / gradient.length;
      const expected = Float64Array.from(gradient, (value) => value * repeats);
      expectClose(sums, expected, { rtol: 1e-6 });
    } else {
      const [expected] = finiteDifferences((v) => reduceAxis(v, shape, axis, total).values, [x], gradient);
      expectClose(await out.read(), expected!);
    }
  });

  test("max", async () => {
    const gradient = normal(sizeOf(reduced));
    const f = (v: ArrayLike<number>) => reduceAxis(v, shape, axis, operations.max[1]).values;
    const [input, output] = [device.tensor(x, shape), device.tensor(f(x), reduced)];
    const back = await maxBackward(input, output, device.tensor(gradient, reduced), options).read();
    if (x.length > 1000) expect(total([...back])).toBeCloseTo(total([...gradient]), 3);
    else expectClose(back, finiteDifferences(f, [x], gradient, 1e-7)[0]!);
  });
});

test("equal maxima share the gradient", async () => {
  const x = device.tensor([1, 3, 3, 2], [4]);
  const back = maxBackward(x, max(x), device.tensor([6], []), {});
  expect([...(await back.read())]).toEqual([0, 3, 3, 0]);
});

test("max of negative numbers", async () => {
  expect(await max(device.tensor([-5, -3, -4], [3])).item()).toBe(-3);
});

test("sumOfSquaresInto writes its own element and no other", async () => {
  const target = device.tensor([7, 8, 9], [3]);
  const inputs = [normal(5, 1), normal(9000, 2)];
  for (const [i, x] of inputs.entries()) sumOfSquaresInto(target, i + 1, device.tensor(x, [x.length]));
  const expected = inputs.map((x) => x.reduce((total, value) => total + value * value, 0));
  expectClose(await target.read(), [7, ...expected]);
  expect(() => sumOfSquaresInto(target, 3, target)).toThrow(/element 3 is not in a target of shape \[3\]/);
});

test.each([1, 4096, 4097, 100_003])("sumOfSquares of %i elements", async (size) => {
  const x = normal(size);
  expectClose(
    [await sumOfSquares(device.tensor(x, [size])).item()],
    [x.reduce((sum, value) => sum + value * value, 0)],
  );
});

test("expand refuses a tensor of another shape", () => {
  expect(() => expand(device.tensor([1, 2], [2]), [2, 3], { axis: 0 })).toThrow(
    /expand: x has shape \[2\] and must have \[3\]/,
  );
  expect(() => expand(device.tensor([1, 2, 3], [3]), [2, 3], { axis: 0, keepDims: true })).toThrow(
    /expand: x has shape \[3\] and must have \[1, 3\]/,
  );
});
