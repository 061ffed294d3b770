import {
  bytesPerElement,
  type DType,
  type FloatDType,
  fromFloat32,
  type SafetensorsDtype,
  type Tensor,
  type TensorToWrite,
  toFloat32,
  type Weight,
} from "@lethe/tensor";

const floats = { f32: "F32", f16: "F16", bf16: "BF16" } as const satisfies Record<FloatDType, SafetensorsDtype>;
const stored = { ...floats, i32: "I32", u32: "U32" } as const satisfies Record<DType, SafetensorsDtype>;

/** The metadata of a file of weights, as `transformers` expects them. */
export const WEIGHT_METADATA = { format: "pt" };

/** Bytes of a piece on its way from the device to a file. */
const pieceBytes = 8 * 2 ** 20;

type Pieces = AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined>;

/** A weight for the safetensors writer. */
export interface WeightToWrite extends TensorToWrite<() => Pieces> {
  /** Bytes of the weight in the file. */
  readonly bytes: number;
}

/**
 * A weight for the safetensors writer. It is read back from the device when it is written, in small pieces. In its own dtype it is
 * written bit for bit.
 */
export function weightToWrite(name: string, weight: Weight, dtype: FloatDType = weight.dtype): WeightToWrite {
  if (dtype === weight.dtype) return tensorToWrite(name, weight);
  async function* data(): Pieces {
    for await (const bytes of readBits(weight))
      yield fromFloat32(toFloat32(bytes, floats[weight.dtype]), floats[dtype]);
  }
  return { name, dtype: floats[dtype], shape: weight.shape, bytes: weight.size * bytesPerElement[dtype], data };
}

/** A tensor of any dtype for the safetensors writer, bit for bit; see {@link weightToWrite}. */
export function tensorToWrite(name: string, tensor: Tensor): WeightToWrite {
  const { dtype, shape, size } = tensor;
  return { name, dtype: stored[dtype], shape, bytes: size * bytesPerElement[dtype], data: () => readBits(tensor) };
}

/** The bits on the device. They are copied as u32 words, because reading them as floats could change the bits of a NaN. */
async function* readBits(weight: Tensor): Pieces {
  const { device } = weight;
  // A packed weight with an odd number of elements ends in half a word of padding.
  const end = weight.size * bytesPerElement[weight.dtype];
  for (let offset = 0; offset < end; offset += pieceBytes) {
    const length = Math.min(pieceBytes, weight.bytes - offset);
    using piece = device.lasting([length / 4], "u32", "piece of a weight");
    device.copyBytes(weight, offset, piece, 0, length);
    const { buffer } = await piece.read();
    yield new Uint8Array(buffer as ArrayBuffer, 0, Math.min(length, end - offset));
  }
}
