import type { ArrayOf, DType } from "./dtype.ts";

const f32 = new Float32Array(1);
const bits = new Uint32Array(f32.buffer);

/** Bits of the bf16 nearest to a number, ties to even; NaN stays NaN. */
export function toBf16(value: number): number {
  f32[0] = value;
  const u = bits[0]!;
  if ((u & 0x7fffffff) > 0x7f800000) return (u >>> 16) | 0x40;
  return ((u + 0x7fff + ((u >>> 16) & 1)) >>> 16) & 0xffff;
}

/** The number that bf16 bits stand for. */
export function fromBf16(half: number): number {
  bits[0] = half << 16;
  return f32[0]!;
}

/** Bits of the f16 nearest to a number, ties to even; too large becomes infinity, NaN stays NaN. */
export function toF16(value: number): number {
  f32[0] = value;
  const u = bits[0]!;
  const sign = (u >>> 16) & 0x8000;
  const magnitude = u & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  if (magnitude >= 0x47800000) return sign | 0x7c00;
  if (magnitude < 0x38800000) {
    // Subnormal: in units of 2⁻²⁴. f32 arithmetic on exact powers of two leaves only the rounding below.
    f32[0] = Math.abs(f32[0]!) * 2 ** 24;
    const whole = Math.floor(f32[0]!);
    const rest = f32[0]! - whole;
    return sign | (whole + (rest > 0.5 || (rest === 0.5 && whole % 2 === 1) ? 1 : 0));
  }
  return sign | ((magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13);
}

// 2^(e − 15) for each exponent field: a power computed for each element costs more than all else in a large readback.
const f16Scale = Float64Array.from({ length: 31 }, (_, exponent) => 2 ** (exponent - 15));

/** The number that f16 bits stand for. */
export function fromF16(half: number): number {
  const exponent = (half >>> 10) & 0x1f;
  const fraction = half & 0x3ff;
  const sign = half & 0x8000 ? -1 : 1;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? Number.NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * f16Scale[exponent]!;
}

/** Values as device bytes of a dtype, padded to whole 32-bit words. */
export function encode(values: ArrayLike<number>, dtype: DType): ArrayBufferView {
  if (dtype === "f32") return values instanceof Float32Array ? values : Float32Array.from(values);
  if (dtype === "i32") return values instanceof Int32Array ? values : Int32Array.from(values);
  if (dtype === "u32") return values instanceof Uint32Array ? values : Uint32Array.from(values);
  const convert = dtype === "f16" ? toF16 : toBf16;
  const halves = new Uint16Array(Math.ceil(values.length / 2) * 2);
  for (let i = 0; i < values.length; i++) halves[i] = convert(values[i]!);
  return halves;
}

/** The inverse of {@link encode}, for `count` elements; f16 and bf16 are widened to f32. */
export function decode<D extends DType>(buffer: ArrayBuffer, dtype: D, count: number): ArrayOf<D> {
  if (dtype === "f32") return new Float32Array(buffer, 0, count) as ArrayOf<D>;
  if (dtype === "i32") return new Int32Array(buffer, 0, count) as ArrayOf<D>;
  if (dtype === "u32") return new Uint32Array(buffer, 0, count) as ArrayOf<D>;
  const convert = dtype === "f16" ? fromF16 : fromBf16;
  return Float32Array.from(new Uint16Array(buffer, 0, count), convert) as ArrayOf<D>;
}
