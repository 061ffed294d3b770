import { type Layout, layOut, type TensorToWrite, wrongSize } from "../safetensors/encode.ts";
import { writeWhole } from "./write-whole.ts";

/** A tensor's bytes, or a function that yields them in pieces when their turn comes, so that they need not all be in memory. */
export type TensorData = Uint8Array | (() => Iterable<Uint8Array> | AsyncIterable<Uint8Array>);

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
  await writeWhole(path, pieces(layOut(tensors, metadata, path), path));
}

async function* pieces(layout: Layout<TensorData>, path: string): AsyncGenerator<Uint8Array, void, undefined> {
  yield layout.header;
  for (const { name, bytes, data } of layout.tensors) {
    let given = 0;
    for await (const piece of typeof data === "function" ? data() : [data]) {
      given += piece.length;
      if (given > bytes) break; // a source without end must not fill the disk
      yield piece;
    }
    if (given !== bytes) throw wrongSize(path, name, given, bytes);
  }
}
