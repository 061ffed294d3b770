export const dtypes = ["f32", "f16", "bf16", "i32", "u32"] as const;
/** Element types a tensor can have on the device. `f16` and `bf16` are packed two to a 32-bit word, low half first. */
export type DType = (typeof dtypes)[number];

/** The floating-point element types. Weights have one of these. */
export type FloatDType = "f32" | "f16" | "bf16";

/** The array that reading a tensor of each type gives. Packed halves are widened exactly to f32. */
export type ArrayOf<D extends DType> = D extends "i32" ? Int32Array : D extends "u32" ? Uint32Array : Float32Array;

/** Bytes of one element on the device and in a file. */
export const bytesPerElement: Record<DType, 2 | 4> = { f32: 4, f16: 2, bf16: 2, i32: 4, u32: 4 };

/** Bytes that `count` elements take on the device. Packed types are padded to a whole 32-bit word. */
export function byteLength(dtype: DType, count: number): number {
  return Math.ceil((count * bytesPerElement[dtype]) / 4) * 4;
}

/**
 * The number that kernels know a floating-point type by (`override …_DTYPE` in `kernels/lib/packed.wgsl`).
 * 0 is f32, 1 is f16, 2 is bf16.
 */
export function floatCode(dtype: DType): 0 | 1 | 2 {
  if (dtype === "f32") return 0;
  if (dtype === "f16") return 1;
  if (dtype === "bf16") return 2;
  throw new TypeError(`a kernel was given ${dtype} values where it reads f32, f16 or bf16`);
}
