import { bytesSource, encodeSafetensors, type Folder, type TensorToWrite } from "@lethe/tensor";
import { sizeOf } from "./reference/broadcast.ts";

/** A model's directory in memory. A value that is neither text nor bytes is written as JSON. */
export function memoryFolder(files: Readonly<Record<string, unknown>>): Folder {
  const encode = (value: unknown) =>
    value instanceof Uint8Array
      ? value
      : new TextEncoder().encode(typeof value === "string" ? value : JSON.stringify(value));
  return {
    name: "models/x",
    open: async (file) => (file in files ? bytesSource(encode(files[file]), `models/x/${file}`) : undefined),
  };
}

/** A model's directory in memory, with the files that it gives. */
export async function savedFolder(
  files: readonly { readonly name: string; pieces(): AsyncIterable<Uint8Array> | Iterable<Uint8Array> }[],
): Promise<Folder> {
  const whole: Record<string, Uint8Array> = {};
  for (const { name, pieces } of files) {
    const parts: Uint8Array[] = [];
    for await (const piece of pieces()) parts.push(piece.slice());
    whole[name] = Buffer.concat(parts);
  }
  return memoryFolder(whole);
}

/** A safetensors file of zeros in the given shapes. */
export function zeroWeights(
  shapes: Iterable<readonly [string, readonly number[]]>,
  dtype: "F32" | "I64" = "F32",
): Uint8Array {
  const tensors = Array.from(shapes, ([name, shape]): TensorToWrite => {
    return { name, dtype, shape, data: new Uint8Array(sizeOf(shape) * (dtype === "F32" ? 4 : 8)) };
  });
  return encodeSafetensors(tensors);
}
