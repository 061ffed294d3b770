import type { TensorToWrite } from "../safetensors/encode.ts";
import { safetensorsPieces, type TensorData } from "../safetensors/pieces.ts";
import { writeWhole } from "./write-whole.ts";

/**
 * Writes a safetensors file whole or not at all, see {@link writeWhole}. The bytes depend on the content alone, see
 * `encodeSafetensors`.
 *
 * @throws SafetensorsError where a name, dtype, shape or number of bytes is wrong; the file system's own error where writing
 *   fails. The file at `path` is as it was then.
 */
export async function writeSafetensors(
  path: string,
  tensors: Iterable<TensorToWrite<TensorData>>,
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  await writeWhole(path, safetensorsPieces(tensors, metadata, path));
}
