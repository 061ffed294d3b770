import type { ArrayOf, DType } from "./dtype.ts";

/** Floating-point types of 16 bits. */
export type HalfDType = "f16" | "bf16";

// A checkpoint has billions of numbers, so whole arrays are converted by their bits.

/** The values of 16-bit floats, each exact in f32. NaN stays NaN. */
export function widen(halves: Uint16Array, dtype: HalfDType): Float32Array<ArrayBuffer> {
  const values = new Float32Array(halves.length);
  if (dtype === "bf16") {
    const bits = new Uint32Array(values.buffer);
    for (let i = 0; i < bits.length; i++) bits[i] = halves[i]! << 16;
  } else {
    f16Values ??= Float32Array.from({ length: 65_536 }, (_, half) => valueOfF16(half));
    for (let i = 0; i < values.length; i++) values[i] = f16Values[halves[i]!]!;
  }
  return values;
}

/** The nearest 16-bit floats, ties to even. Numbers that are too large become infinity, and NaN stays NaN. */
export function round(values: Float32Array, dtype: HalfDType): Uint16Array<ArrayBuffer> {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const halves = new Uint16Array(values.length);
  if (dtype === "bf16") for (let i = 0; i < bits.length; i++) halves[i] = bitsToBf16(bits[i]!);
  else for (let i = 0; i < bits.length; i++) halves[i] = bitsToF16(bits[i]!);
  return halves;
}

function bitsToBf16(u: number): number {
  if ((u & 0x7fffffff) > 0x7f800000) return (u >>> 16) | 0x40;
  return (u + 0x7fff + ((u >>> 16) & 1)) >>> 16;
}

function bitsToF16(u: number): number {
  const sign = (u >>> 16) & 0x8000;
  const magnitude = u & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  if (magnitude >= 0x47800000) return sign | 0x7c00;
  if (magnitude >= 0x38800000) return sign | ((magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13);
  // A subnormal f16 counts units of 2⁻²⁴. An f32 between 0.5 and 1 is a whole number of them too, so adding 0.5 rounds as needed.
  scratchBits[0] = magnitude;
  scratch[0]! += 0.5;
  return sign | (scratchBits[0]! - 0x3f000000);
}

const scratch = new Float32Array(1);
const scratchBits = new Uint32Array(scratch.buffer);
let f16Values: Float32Array | undefined;

function valueOfF16(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >>> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 31) return fraction ? Number.NaN : sign * Infinity;
  return sign * (exponent ? (1024 + fraction) * 2 ** (exponent - 25) : fraction * 2 ** -24);
}

/** Values as device bytes of a dtype, padded to whole 32-bit words. */
export function encode(values: ArrayLike<number>, dtype: DType): ArrayBufferView {
  if (dtype === "f32") return values instanceof Float32Array ? values : Float32Array.from(values);
  if (dtype === "i32") return values instanceof Int32Array ? values : Int32Array.from(values);
  if (dtype === "u32") return values instanceof Uint32Array ? values : Uint32Array.from(values);
  const padded = new Float32Array(Math.ceil(values.length / 2) * 2);
  padded.set(values);
  return round(padded, dtype);
}

/** The inverse of {@link encode}, for `count` elements; f16 and bf16 are widened to f32. */
export function decode<D extends DType>(buffer: ArrayBuffer, dtype: D, count: number): ArrayOf<D> {
  if (dtype === "f32") return new Float32Array(buffer, 0, count) as ArrayOf<D>;
  if (dtype === "i32") return new Int32Array(buffer, 0, count) as ArrayOf<D>;
  if (dtype === "u32") return new Uint32Array(buffer, 0, count) as ArrayOf<D>;
  return widen(new Uint16Array(buffer, 0, count), dtype as HalfDType) as ArrayOf<D>;
}
