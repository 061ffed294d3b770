import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { type Layout, layOut, type TensorToWrite, wrongSize } from "../encode.ts";

/** A tensor's bytes, or a function that yields them in pieces when their turn comes, so that they need not all be in memory. */
export type TensorData = Uint8Array | (() => Iterable<Uint8Array> | AsyncIterable<Uint8Array>);

/**
 * Writes a safetensors file under a temporary name beside it and renames it when it is complete and on the disk, so no reader
 * and no crash ever sees half a file. The bytes depend on the content alone, see `encodeSafetensors`.
 *
 * @throws SafetensorsError where a name, dtype, shape or number of bytes is wrong; the file system's own error where writing
 *   fails. In both cases the temporary file is removed and whatever was at `path` is as it was.
 */
export async function writeSafetensors(
  path: string,
  tensors: Iterable<TensorToWrite<TensorData>>,
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  const layout = layOut(tensors, metadata, path);
  const temporary = `${path}.${process.pid}-${crypto.randomUUID()}.tmp`;
  const handle = await open(temporary, "wx");
  try {
    try {
      await writeAll(handle, layout, path);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

async function writeAll(handle: FileHandle, layout: Layout<TensorData>, path: string): Promise<void> {
  await writeFully(handle, layout.header);
  for (const { name, bytes, data } of layout.tensors) {
    let written = 0;
    for await (const piece of typeof data === "function" ? data() : [data]) {
      written += piece.length;
      if (written > bytes) break; // a source without end must not fill the disk
      await writeFully(handle, piece);
    }
    if (written !== bytes) throw wrongSize(path, name, written, bytes);
  }
}

/** One write may take less than it was given, and never takes more than 2 GiB. */
async function writeFully(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await handle.write(bytes, done, Math.min(bytes.length - done, 2 ** 30));
    done += bytesWritten;
  }
}
