import { round, widen } from "../packed.ts";

// Typed arrays have the host's byte order. The format is little-endian, and so is every host that has WebGPU.

/** Dtypes of the format whose values all fit f32. */
type FloatTensor = "F32" | "F16" | "BF16";

const halfDtypes = { F16: "f16", BF16: "bf16" } as const;

/**
 * A tensor's bytes, as `Checkpoint.read` gives them, as f32. Every f16 and bf16 has an exact one: subnormals, infinities and
 * the sign of zero are kept, NaN stays NaN. f64 is rounded to nearest, ties to even. `F32` is a view, not a copy.
 */
export function toFloat32(bytes: Uint8Array<ArrayBuffer>, dtype: FloatTensor | "F64"): Float32Array<ArrayBuffer> {
  if (dtype === "F64") return Float32Array.from(new Float64Array(bytes.buffer, bytes.byteOffset, bytes.length / 8));
  if (dtype === "F32") return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  return widen(new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2), halfDtypes[dtype]);
}

/**
 * f32 values as a tensor's bytes, rounded to nearest, ties to even. Values beyond the largest finite one become infinity; NaN
 * stays NaN. `F32` is a view, not a copy.
 */
export function fromFloat32(values: Float32Array<ArrayBuffer>, dtype: FloatTensor): Uint8Array<ArrayBuffer> {
  if (dtype === "F32") return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return new Uint8Array(round(values, halfDtypes[dtype]).buffer);
}
