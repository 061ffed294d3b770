import { describe, expect, it } from "vitest";
import { bytesSource, fromFloat32, openSafetensors, toFloat32 } from "../../src/safetensors/index.ts";
import { golden } from "./build.ts";

const all16 = Uint16Array.from({ length: 2 ** 16 }, (_, i) => i);
const isNaN16 = { F16: (h: number) => (h & 0x7fff) > 0x7c00, BF16: (h: number) => (h & 0x7fff) > 0x7f80 };

/** The value of f16 or bf16 bits by the definition of IEEE 754, in float64. */
function value(half: number, exponentBits: number): number {
  const mantissaBits = 15 - exponentBits;
  const bias = 2 ** (exponentBits - 1) - 1;
  const exponent = (half & 0x7fff) >> mantissaBits;
  const fraction = (half & (2 ** mantissaBits - 1)) / 2 ** mantissaBits;
  const sign = half >> 15 ? -1 : 1;
  if (exponent === 2 ** exponentBits - 1) return fraction ? Number.NaN : sign * Infinity;
  return sign * (exponent === 0 ? fraction * 2 ** (1 - bias) : (1 + fraction) * 2 ** (exponent - bias));
}

describe.each([
  ["F16", 5],
  ["BF16", 8],
] as const)("%s", (dtype, exponentBits) => {
  const widened = toFloat32(new Uint8Array(all16.slice().buffer), dtype);

  it("widens all 65536 patterns exactly", () => {
    for (const half of all16) {
      if (!Object.is(widened[half], value(half, exponentBits))) {
        expect(widened[half], half.toString(16)).toBe(value(half, exponentBits));
      }
    }
  });

  it("rounds all 65536 values back to their patterns, NaN to a NaN", () => {
    const halves = new Uint16Array(fromFloat32(widened, dtype).buffer);
    for (const half of all16) {
      if (isNaN16[dtype](half)) expect(isNaN16[dtype](halves[half]!)).toBe(true);
      else if (halves[half] !== half) expect(halves[half], half.toString(16)).toBe(half);
    }
  });

  it("rounds as torch does: random patterns, midpoints and their neighbours, edges", async () => {
    const checkpoint = await openSafetensors(bytesSource(golden("conversions.safetensors")));
    const values = toFloat32(await checkpoint.read("f32"), "F32");
    const expected = new Uint16Array((await checkpoint.read(dtype.toLowerCase())).buffer);
    const rounded = new Uint16Array(fromFloat32(values, dtype).buffer);
    expect(rounded.length).toBe(expected.length);
    for (const [i, half] of rounded.entries()) {
      if (isNaN16[dtype](expected[i]!)) expect(isNaN16[dtype](half)).toBe(true);
      else if (half !== expected[i]) expect(half, `element ${i}, ${values[i]}`).toBe(expected[i]);
    }
  });
});
