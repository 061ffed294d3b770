import { testDevice } from "@lethe/testing/device";
import { integer, normal, random } from "@lethe/testing/random";
import { indexOf } from "@lethe/testing/reference/broadcast";
import { describe, expect, test } from "vitest";
import type { FloatDType } from "../../src/dtype.ts";
import { cast, concat, permute, reshape, slice, sliceBackward } from "../../src/ops/layout.ts";
import { decode, encode } from "../../src/packed.ts";

const device = await testDevice();
const sizeOf = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

/** Values of a shape: a rule gives the index in the source for each coordinate. */
const build = (shape: readonly number[], at: (index: number[]) => number) =>
  Array.from({ length: sizeOf(shape) }, (_, i) => at(indexOf(shape, i)));
const flat = (shape: readonly number[], index: number[]) => shape.reduce((at, dim, i) => at * dim + index[i]!, 0);

test("reshape shares the numbers", async () => {
  const x = device.tensor([1, 2, 3, 4, 5, 6], [2, 3]);
  const y = reshape(x, { shape: [3, 2] });
  expect(y.shape).toEqual([3, 2]);
  expect([...(await y.read())]).toEqual([1, 2, 3, 4, 5, 6]);
  expect(() => reshape(x, { shape: [4] })).toThrow(/reshape: \[2, 3\] has 6 elements and \[4\] has 4/);
});

describe("permute", () => {
  test.each([
    [
      [3, 5],
      [1, 0],
    ],
    [
      [2, 3, 4, 5],
      [0, 2, 1, 3],
    ],
    [
      [2, 3, 4, 5],
      [3, 2, 1, 0],
    ],
    [
      [7, 3, 2, 12],
      [2, 0, 1, 3],
    ],
    [
      [2, 3, 2, 3, 2, 3],
      [5, 3, 1, 4, 2, 0],
    ],
    [[7], [0]],
    [[], []],
    [
      [4, 1, 3],
      [2, 1, -3],
    ],
  ])("%j by %j", async (shape, axes) => {
    const x = normal(sizeOf(shape));
    const order = axes.map((axis) => (axis < 0 ? axis + shape.length : axis));
    const target = order.map((axis) => shape[axis]!);
    const out = permute(device.tensor(x, shape), { axes });
    expect(out.shape).toEqual(target);
    const expected = build(target, (index) => {
      const from = new Array<number>(shape.length);
      order.forEach((axis, i) => {
        from[axis] = index[i]!;
      });
      return x[flat(shape, from)]!;
    });
    expect([...(await out.read())]).toEqual(expected);
  });

  test("axes must name each axis once", () => {
    const x = device.tensor(normal(6), [2, 3]);
    expect(() => permute(x, { axes: [0, 0] })).toThrow(/permute: axes \[0, 0\] do not name each axis of \[2, 3\] once/);
    expect(() => permute(x, { axes: [0] })).toThrow(/permute/);
  });

  test("more than six axes that cannot be joined are refused", () => {
    const shape = [2, 2, 2, 2, 2, 2, 2];
    expect(() => permute(device.tensor(normal(128), shape), { axes: [6, 5, 4, 3, 2, 1, 0] })).toThrow(
      /7 separate axes/,
    );
  });
});

describe.each([
  [[9], 0, 2, 5],
  [[4, 7], 1, 3, 4],
  [[4, 7], 0, 0, 4],
  [[3, 5, 2], -2, 1, 5],
  [[3, 5, 2], 1, 2, 2],
  [[3, 5, 8], 1, 1, 4],
  [[3, 12], 1, 4, 12],
  [[3, 12], 1, 2, 10],
])("slice of %j along %i from %i to %i", (shape, axis, start, end) => {
  const at = axis < 0 ? axis + shape.length : axis;
  const x = normal(sizeOf(shape));
  const target = shape.with(at, end - start);

  test("forward", async () => {
    const out = slice(device.tensor(x, shape), { axis, start, end });
    expect(out.shape).toEqual(target);
    const expected = build(target, (index) => x[flat(shape, index.with(at, index[at]! + start))]!);
    expect([...(await out.read())]).toEqual(expected);
  });

  test("backward pads with zeros", async () => {
    const gradient = normal(sizeOf(target));
    const out = sliceBackward(device.tensor(gradient, target), { axis, start, size: shape[at]! });
    expect(out.shape).toEqual(shape);
    const expected = build(shape, (index) => {
      const place = index[at]!;
      return place < start || place >= end ? 0 : gradient[flat(target, index.with(at, place - start))]!;
    });
    expect([...(await out.read())]).toEqual(expected);
  });
});

test("a range outside the axis is refused", () => {
  const x = device.tensor(normal(6), [2, 3]);
  expect(() => slice(x, { axis: 1, start: 1, end: 4 })).toThrow(/slice: 1 … 4 is not a range of axis 1 of \[2, 3\]/);
  expect(() => slice(x, { axis: 1, start: -1, end: 2 })).toThrow(/slice/);
});

test.each([
  [[3], [4], 0],
  [[2, 3], [2, 5], 1],
  [[2, 3], [4, 3], 0],
  [[2, 1, 3], [2, 4, 3], -2],
  [[2, 1, 8], [2, 4, 8], -2],
  [[5, 4], [5, 8], 1],
])("concat of %j and %j along %i", async (aShape, bShape, axis) => {
  const at = axis < 0 ? axis + aShape.length : axis;
  const [a, b] = [normal(sizeOf(aShape)), normal(sizeOf(bShape))];
  const joined = aShape[at]!;
  const target = aShape.with(at, joined + bShape[at]!);
  const out = concat(device.tensor(a, aShape), device.tensor(b, bShape), { axis });
  expect(out.shape).toEqual(target);
  const expected = build(target, (index) =>
    index[at]! < joined ? a[flat(aShape, index)]! : b[flat(bShape, index.with(at, index[at]! - joined))]!,
  );
  expect([...(await out.read())]).toEqual(expected);
});

test("concat of a tensor with itself, and of shapes that do not fit", async () => {
  const x = device.tensor([1, 2], [2]);
  expect([...(await concat(x, x, { axis: 0 }).read())]).toEqual([1, 2, 1, 2]);
  const other = device.tensor(normal(6), [2, 3]);
  expect(() => concat(x, other, { axis: 0 })).toThrow(/concat: shapes \[2\] and \[2, 3\] differ/);
});

/** Floats of many exponents, with ties, subnormals, infinities and NaN. */
function difficult(): Float32Array {
  const words = Uint32Array.from({ length: 20_001 }, () => Math.floor(random() * 2 ** 32));
  for (let i = 0; i < words.length; i += 3)
    words[i] = (words[i]! & 0xffff0000) | [0x8000, 0x7fff, 0x8001][integer(0, 2)]!;
  // Near and below the smallest normal f16, at ties and next to them.
  for (let i = 1; i < words.length; i += 3)
    words[i] = (integer(0, 1) << 31) | (integer(96, 118) << 23) | (integer(0, 1023) << 13);
  for (let i = 2; i < words.length; i += 6) words[i] = (integer(112, 145) << 23) | (integer(0, 2047) << 12);
  return new Float32Array(words.buffer);
}

const halvesOf = (values: ArrayLike<number>, dtype: FloatDType) =>
  new Uint16Array((encode(values, dtype) as Uint16Array).buffer, 0, values.length);

describe("cast", () => {
  test.each(["f16", "bf16"] as const)("f32 to %s rounds as the host does, bit for bit", async (dtype) => {
    const x = difficult();
    // Subnormal f32 may be flushed before a kernel sees it, which WGSL allows; f16 and bf16 then differ by less than the smallest.
    const tensor = device.tensor(x, [x.length]);
    const actual = halvesOf(await cast(tensor, { dtype }).read(), dtype);
    const expected = halvesOf(x, dtype);
    const wrong = [...x.keys()].filter((i) => actual[i] !== expected[i] && !Number.isNaN(x[i]!));
    expect(wrong.map((i) => [x[i], actual[i], expected[i]])).toEqual([]);
    x.forEach((value, i) => {
      if (Number.isNaN(value)) expect(decode(actual.slice(i, i + 1).buffer, dtype, 1)[0]).toBeNaN();
    });
  });

  test.each([
    ["f16", "f32"],
    ["bf16", "f32"],
    ["f16", "f16"],
    ["f16", "bf16"],
    ["bf16", "f16"],
  ] as const)("every value of %s to %s", async (from, to) => {
    const all = Uint16Array.from({ length: 65_536 }, (_, i) => i);
    const values = decode(all.buffer, from, all.length);
    const tensor = device.empty([all.length], from, "all values");
    device.writeBytes(tensor, 0, new Uint8Array(all.buffer));
    const actual = await cast(tensor, { dtype: to }).read();
    const expected = decode(encode(values, to).buffer as ArrayBuffer, to, all.length);
    const wrong = [...all].filter((i) => !Object.is(actual[i], expected[i]));
    expect(wrong.slice(0, 5).map((i) => [i, actual[i], expected[i]])).toEqual([]);
  });

  test.each([1, 2, 7])("%i elements, odd counts too", async (count) => {
    const x = normal(count);
    const there = cast(device.tensor(x, [count]), { dtype: "bf16" });
    expect(there.dtype).toBe("bf16");
    const back = cast(there, { dtype: "f32" });
    expect(await back.read()).toEqual(await there.read());
  });
});
