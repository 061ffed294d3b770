/**
 * The format's element types and the bits of one element, in the order of the reference implementation's enum:
 * ascending alignment. The writer sorts by it, so that every tensor begins at a multiple of its own element size.
 */
const BITS = {
  BOOL: 8,
  F4: 4,
  F6_E2M3: 6,
  F6_E3M2: 6,
  U8: 8,
  I8: 8,
  F8_E5M2: 8,
  F8_E4M3: 8,
  F8_E8M0: 8,
  F8_E4M3FNUZ: 8,
  F8_E5M2FNUZ: 8,
  I16: 16,
  U16: 16,
  F16: 16,
  BF16: 16,
  I32: 32,
  U32: 32,
  F32: 32,
  C64: 64,
  F64: 64,
  I64: 64,
  U64: 64,
} as const;

/** An element type of the safetensors format, as a header spells it. */
export type SafetensorsDtype = keyof typeof BITS;

export const SAFETENSORS_DTYPES = Object.keys(BITS) as readonly SafetensorsDtype[];

export function isSafetensorsDtype(value: unknown): value is SafetensorsDtype {
  return typeof value === "string" && Object.hasOwn(BITS, value);
}

/** Position in the format's own order of types, see `BITS`. Wider types come later. */
export function dtypeRank(dtype: SafetensorsDtype): number {
  return SAFETENSORS_DTYPES.indexOf(dtype);
}

/**
 * Bytes of a tensor of this type and shape. A shape of `[]` is a scalar. `undefined` where the number is no safe integer, or packed
 * 4- and 6-bit elements do not fill a whole number of bytes.
 */
export function byteLength(dtype: SafetensorsDtype, shape: readonly number[]): number | undefined {
  let elements = 1;
  for (const dimension of shape) {
    elements *= dimension;
    // Checked at each step, as the reference does: a zero further on does not excuse an overflow.
    if (!Number.isSafeInteger(elements)) return undefined;
  }
  const bits = elements * BITS[dtype];
  return Number.isSafeInteger(bits) && bits % 8 === 0 ? bits / 8 : undefined;
}
