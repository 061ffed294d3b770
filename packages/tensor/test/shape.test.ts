import { indexOf } from "@lethe/testing/reference/broadcast";
import fc from "fast-check";
import { expect, test } from "vitest";
import { ShapeError } from "../src/index.ts";
import { broadcastStrides, collapse, stridesOf } from "../src/ops/strides.ts";
import { broadcastShapes, show, sizeOf } from "../src/shape.ts";

test("sizes and messages", () => {
  expect(sizeOf([])).toBe(1);
  expect(sizeOf([2, 0, 3])).toBe(0);
  expect(show([2, 3, 64])).toBe("[2, 3, 64]");
});

test.each([
  [[2, 3], [3], [2, 3]],
  [
    [2, 1],
    [1, 3],
    [2, 3],
  ],
  [[], [4], [4]],
  [[0], [1], [0]],
  [
    [5, 1, 4],
    [3, 1],
    [5, 3, 4],
  ],
])("%j and %j broadcast to %j", (a, b, expected) => {
  expect(broadcastShapes("x", a, b)).toEqual(expected);
  expect(broadcastShapes("x", b, a)).toEqual(expected);
});

test("shapes that do not broadcast", () => {
  expect(() => broadcastShapes("add", [2, 3], [2])).toThrow(ShapeError);
  expect(() => broadcastShapes("add", [2, 3], [2])).toThrow("add: shapes [2, 3] and [2] do not broadcast: 3 against 2");
});

test("collapsing a walk joins axes and visits the same elements", () => {
  const axis = fc.record({ size: fc.integer({ min: 1, max: 4 }), a: fc.boolean(), b: fc.boolean() });
  fc.assert(
    fc.property(fc.array(axis, { maxLength: 6 }), (axes) => {
      const sizes = axes.map(({ size }) => size);
      const [p, q] = (["a", "b"] as const).map((side) =>
        broadcastStrides(
          axes.map((each) => (each[side] ? 1 : each.size)),
          sizes,
        ),
      );
      const walk = collapse("x", sizes, p!, q!);
      expect(walk.sizes.length).toBeLessThanOrEqual(sizes.length);
      const place = (shape: readonly number[], strides: readonly number[], i: number) =>
        indexOf(shape, i).reduce((at, index, k) => at + index * strides[k]!, 0);
      for (let i = 0; i < sizeOf(sizes); i++) {
        expect(place(walk.sizes, walk.p, i)).toBe(place(sizes, p!, i));
        expect(place(walk.sizes, walk.q, i)).toBe(place(sizes, q!, i));
      }
    }),
  );
});

test("row-major tensors collapse to one axis", () => {
  const strides = stridesOf([2, 3, 4]);
  expect(strides).toEqual([12, 4, 1]);
  expect(collapse("x", [2, 3, 4], strides, strides)).toEqual({ sizes: [24], p: [1], q: [1] });
});
