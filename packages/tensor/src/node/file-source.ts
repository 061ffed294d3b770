import { constants } from "node:fs";
import { type FileHandle, open, readdir } from "node:fs/promises";
import { SafetensorsError } from "../safetensors/error.ts";
import { type ByteSource, checkRange, readWholeText } from "../safetensors/source.ts";

/** The system and Node read less than 2 GiB at a time. */
const MAX_ONE_READ = 2 ** 30;

/** Opening a named pipe waits for a writer, perhaps for ever, unless the system is told not to wait. Windows has no such flag. */
const READ_WITHOUT_WAITING = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

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

/**
 * As `fileSource`, with `undefined` where there is no such file. Every file that Lethe reads while it runs is opened here: only a
 * regular file is read. A named pipe, a device or a socket could make a reader wait for ever, or give bytes without end.
 */
export async function findFileSource(path: string): Promise<ByteSource | undefined> {
  let handle: FileHandle;
  try {
    handle = await open(path, READ_WITHOUT_WAITING);
  } catch (cause) {
    const { code = "" } = cause as NodeJS.ErrnoException;
    // ENOTDIR: a part of the path that should be a directory is a file.
    if (["ENOENT", "ENOTDIR"].includes(code)) return undefined;
    // Linux cannot open a socket, and Windows cannot open a directory.
    throw ["ENXIO", "EISDIR"].includes(code) ? notRegular(path) : readFailure(path, cause);
  }
  const stat = await handle.stat();
  if (!stat.isFile()) {
    await handle.close();
    throw notRegular(path);
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

/**
 * A text file as a whole; `undefined` where there is none. A byte-order mark is left out.
 *
 * @param most bytes that it may have; default: 64 MiB
 * @throws SafetensorsError of kind `io`, `too-large` or `not-utf8`.
 */
export async function readTextFile(path: string, most?: number): Promise<string | undefined> {
  const source = await findFileSource(path);
  return source && readWholeText(source, most);
}

/** Names of all files in a directory. @throws SafetensorsError of kind `io`. */
export function fileNames(directory: string): Promise<string[]> {
  return readdir(directory).catch((cause) => {
    throw readFailure(directory, cause);
  });
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

function notRegular(path: string): SafetensorsError {
  const problem = "it is a directory, a pipe or a device, and not a file";
  return new SafetensorsError("io", path, problem, "the path of a file");
}

function readFailure(path: string, cause: unknown): SafetensorsError {
  return new SafetensorsError("io", path, `it cannot be read (${(cause as Error).message})`, "a readable file", cause);
}
