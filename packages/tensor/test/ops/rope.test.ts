import { expectClose } from "@lethe/testing/close";
import { testDevice } from "@lethe/testing/device";
import { integer, normal } from "@lethe/testing/random";
import { describe, expect, test } from "vitest";
import { rope, ropeTable } from "../../src/ops/rope.ts";

const device = await testDevice();

const frequencies = (half: number) => Array.from({ length: half }, (_, i) => 10_000 ** (-i / half));

/** In float64, from the definition: the pair (i, i + D/2) of a head is turned by position · frequency i. */
function reference(x: ArrayLike<number>, shape: readonly number[], positions: readonly number[], sign: number) {
  const [, , heads, width] = shape as [number, number, number, number];
  const half = width / 2;
  const inverse = Float32Array.from(frequencies(half));
  return Float64Array.from({ length: x.length }, (_, at) => {
    const i = at % width;
    const angle = sign * Math.fround(positions[Math.floor(at / (width * heads))]! * inverse[i % half]!);
    return i < half
      ? x[at]! * Math.cos(angle) - x[at + half]! * Math.sin(angle)
      : x[at]! * Math.cos(angle) + x[at - half]! * Math.sin(angle);
  });
}

describe.each([
  ["heads of 16", [2, 5, 3, 16]],
  ["heads of 20", [3, 7, 1, 20]],
  ["heads of 6", [1, 11, 5, 6]],
  ["one token", [1, 1, 1, 8]],
] as const)("rope, %s", (_, shape) => {
  const [batch, length, , width] = shape;
  test.each([false, true])("inverse: %s", async (inverse) => {
    const table = ropeTable(device, { positions: 40, inverseFrequencies: frequencies(width / 2) });
    const where = Array.from({ length: batch * length }, () => integer(0, 39));
    const positions = device.tensor(where, [batch, length], "u32");
    const values = normal(batch * length * shape[2] * width);
    const x = device.tensor(values, shape);
    const turned = rope(x, table, positions, { inverse });
    expectClose(await turned.read(), reference(values, shape, where, inverse ? -1 : 1));
    const back = rope(turned, table, positions, { inverse: !inverse });
    expectClose(await back.read(), values, { label: "there and back" });
  });
});

test("the table holds cosines, then sines, of angles rounded to f32, times the scale", async () => {
  const inverseFrequencies = frequencies(4);
  const table = ropeTable(device, { positions: 1000, inverseFrequencies, scale: 0.5 });
  expect(table.shape).toEqual([1000, 8]);
  const row = (await table.read()).slice(999 * 8);
  const angles = inverseFrequencies.map((f) => Math.fround(999 * Math.fround(f)));
  const expected = [...angles.map((a) => 0.5 * Math.cos(a)), ...angles.map((a) => 0.5 * Math.sin(a))];
  expect([...row]).toEqual(expected.map(Math.fround));
});

test("shapes that do not fit are refused", () => {
  const table = ropeTable(device, { positions: 4, inverseFrequencies: frequencies(4) });
  const positions = device.tensor([0, 1, 2], [1, 3], "u32");
  expect(() => rope(device.empty([1, 3, 2, 6]), table, positions)).toThrow("expected [P, 6]");
  expect(() => rope(device.empty([1, 2, 2, 8]), table, positions)).toThrow(
    "positions has shape [1, 3] and must have [1, 2]",
  );
  expect(() => rope(device.empty([3, 8]), table, positions)).toThrow("[B, T, H, D]");
});

test("a position past the table gives NaN", async () => {
  const table = ropeTable(device, { positions: 4, inverseFrequencies: frequencies(2) });
  const x = device.tensor(normal(12), [1, 3, 1, 4]);
  const turned = await rope(x, table, device.tensor([3, 4, 2 ** 32 - 1], [1, 3], "u32")).read();
  expect([...turned].map(Number.isNaN)).toEqual(Array.from({ length: 12 }, (_, i) => i >= 4));
});
