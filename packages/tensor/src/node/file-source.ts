import { type FileHandle, open } from "node:fs/promises";
import { SafetensorsError } from "../safetensors/error.ts";
import { type ByteSource, checkRange } from "../safetensors/source.ts";

/** The system and Node read less than 2 GiB at a time. */
const MAX_ONE_READ = 2 ** 30;

/**
 * A file on disk. It stays open until `close`.
 *
 * @throws SafetensorsError of kind `not-found` or `io`.
 */
export async function fileSource(path: string): Promise<ByteSource> {
  const source = await findFileSource(path);
  if (source !== undefined) return source;
  throw new SafetensorsError("not-found", path, "there is no such file", "the path of a file");
}

/** As `fileSource`, with `undefined` where there is no such file. */
export async function findFileSource(path: string): Promise<ByteSource | undefined> {
  let handle: FileHandle;
  try {
    handle = await open(path, "r");
  } catch (cause) {
    // ENOTDIR: a part of the path that should be a directory is a file.
    if (["ENOENT", "ENOTDIR"].includes((cause as NodeJS.ErrnoException).code ?? "")) return undefined;
    throw readFailure(path, cause);
  }
  const stat = await handle.stat();
  if (!stat.isFile()) {
    await handle.close();
    throw new SafetensorsError("io", path, "it is not a file", "the path of a file");
  }
  return {
    name: path,
    size: stat.size,
    async read(offset, length) {
      checkRange(path, stat.size, offset, length);
      const bytes = new Uint8Array(length);
      await fill(handle, bytes, offset, path);
      return bytes;
    },
    close: () => handle.close(),
  };
}

async function fill(handle: FileHandle, bytes: Uint8Array, offset: number, path: string): Promise<void> {
  let done = 0;
  while (done < bytes.length) {
    const want = Math.min(bytes.length - done, MAX_ONE_READ);
    const { bytesRead } = await handle.read(bytes, done, want, offset + done).catch((cause) => {
      throw readFailure(path, cause);
    });
    if (bytesRead === 0) {
      const problem = `the file ended at byte ${offset + done}, earlier than when it was opened`;
      throw new SafetensorsError("truncated", path, problem, "a file that stays as it is");
    }
    done += bytesRead;
  }
}

function readFailure(path: string, cause: unknown): SafetensorsError {
  return new SafetensorsError("io", path, `it cannot be read (${(cause as Error).message})`, "a readable file", cause);
}
