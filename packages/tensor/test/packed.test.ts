import { random } from "@lethe/testing/random";
import { describe, expect, test } from "vitest";
import { decode, encode, type HalfDType, round, widen } from "../src/packed.ts";

const formats = {
  f16: { exponentBits: 5, fractionBits: 10 },
  bf16: { exponentBits: 8, fractionBits: 7 },
} as const;

const converter = (dtype: HalfDType) => ({
  to: (value: number) => round(Float32Array.of(value), dtype)[0]!,
  from: (half: number) => widen(Uint16Array.of(half), dtype)[0]!,
});

/** The value of a 16-bit float, from its fields. */
function meaningOf(half: number, exponentBits: number, fractionBits: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const top = 2 ** exponentBits - 1;
  const exponent = (half >> fractionBits) & top;
  const fraction = (half & (2 ** fractionBits - 1)) / 2 ** fractionBits;
  const bias = 2 ** (exponentBits - 1) - 1;
  if (exponent === top) return fraction ? Number.NaN : sign * Infinity;
  return exponent === 0 ? sign * fraction * 2 ** (1 - bias) : sign * (1 + fraction) * 2 ** (exponent - bias);
}

describe.each(["f16", "bf16"] as const)("%s", (dtype) => {
  const { exponentBits, fractionBits } = formats[dtype];
  const { to, from } = converter(dtype);

  test("all 65,536 bit patterns widen to the right value and round back to themselves", () => {
    for (let half = 0; half < 65_536; half++) {
      const value = from(half);
      const expected = meaningOf(half, exponentBits, fractionBits);
      if (!Object.is(value, expected)) expect.fail(`${half} is ${value}, expected ${expected}`);
      if (Number.isNaN(value) ? !Number.isNaN(from(to(value))) : to(value) !== half)
        expect.fail(`${half} → ${to(value)}`);
    }
  });

  test("rounds to the nearest, ties to even", () => {
    const finite = (half: number) => ((half >> fractionBits) & (2 ** exponentBits - 1)) !== 2 ** exponentBits - 1;
    for (let half = 0; half < 0x7fff; half++) {
      if (!finite(half + 1)) continue;
      const [low, high] = [from(half), from(half + 1)];
      const middle = (low + high) / 2;
      const even = half % 2 === 0 ? half : half + 1;
      const inside = low + (high - low) * random();
      const expected = inside === middle ? even : inside < middle ? half : half + 1;
      // The midpoint of two bf16 subnormals is one bit of f32, and numbers are rounded to f32 first.
      if (to(middle) !== even) expect.fail(`the middle of ${low} and ${high} became ${to(middle)}, not ${even}`);
      if (Math.fround(inside) === inside && to(inside) !== expected) expect.fail(`${inside} became ${to(inside)}`);
    }
  });

  test("an array of odd length is padded to whole words", () => {
    const bytes = encode([1, 2, 3], dtype);
    expect(bytes.byteLength).toBe(8);
    expect([...decode(bytes.buffer as ArrayBuffer, dtype, 3)]).toEqual([1, 2, 3]);
  });
});

test("a number too large for f16 becomes infinity there, and rounds in bf16", () => {
  const rounded = (dtype: HalfDType, value: number) => converter(dtype).from(converter(dtype).to(value));
  expect(rounded("f16", 65_519)).toBe(65_504);
  expect(rounded("f16", 65_520)).toBe(Infinity);
  expect(rounded("f16", -1e10)).toBe(-Infinity);
  expect(rounded("bf16", 3.4e38)).toBe(Infinity);
});
