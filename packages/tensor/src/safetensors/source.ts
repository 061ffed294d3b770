import { SafetensorsError } from "./error.ts";

/**
 * A file that is read in ranges, so that a checkpoint can be far larger than memory.
 * `read` resolves to exactly `length` bytes in a new array. The array begins at the start of its buffer, so a typed array of any
 * element size can view it. It rejects with a `SafetensorsError` that names the file.
 */
export interface ByteSource {
  /** Its name in errors. */
  readonly name: string;
  /** Bytes in the file. */
  readonly size: number;
  read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>>;
  close?(): Promise<void>;
}

/** A place with the files of a checkpoint: a directory, a base URL, the files that a person picked. */
export interface Folder {
  /** Its name in errors. */
  readonly name: string;
  /**
   * Opens a file by its plain name; `undefined` where there is none.
   * @param signal ends opening and reading it, where that can take long; its reason is thrown
   */
  open(file: string, signal?: AbortSignal): Promise<ByteSource | undefined>;
  /** Names of all its files, where they can be known. */
  list?(): Promise<readonly string[]>;
  /** Why a file that was asked for is not there, where more is known than that: what a server answered. */
  whyAbsent?(file: string): string | undefined;
}

/** Bytes in memory. */
export function bytesSource(bytes: ArrayBuffer | Uint8Array, name = "(bytes in memory)"): ByteSource {
  const view = bytes instanceof Uint8Array ? bytes : new Uint8Array(bytes);
  return {
    name,
    size: view.length,
    async read(offset, length) {
      checkRange(name, view.length, offset, length);
      return Uint8Array.from(view.subarray(offset, offset + length));
    },
  };
}

/** A `Blob`, or a `File` that a person picked in a browser. Only the ranges read enter memory. */
export function blobSource(blob: Blob, name = blob instanceof File ? blob.name : "(blob)"): ByteSource {
  return {
    name,
    size: blob.size,
    async read(offset, length) {
      checkRange(name, blob.size, offset, length);
      try {
        return new Uint8Array(await blob.slice(offset, offset + length).arrayBuffer());
      } catch (cause) {
        const expected = "a file that is unchanged since it was picked; pick it again";
        throw new SafetensorsError("io", name, "the browser could not read it", expected, cause);
      }
    },
  };
}

/** @throws SafetensorsError of kind `truncated` where the range does not lie in the file. */
export function checkRange(file: string, size: number, offset: number, length: number): void {
  if (offset >= 0 && length >= 0 && offset + length <= size) return;
  const problem = `bytes ${offset} to ${offset + length} were asked for, and the file has ${size}`;
  throw new SafetensorsError("truncated", file, problem, "a range inside the file");
}

/** Larger than any configuration, tokenizer or record that Lethe reads whole. */
export const MAX_WHOLE_BYTES = 64 * 2 ** 20;

/**
 * All bytes of a source, which is closed.
 *
 * @param most bytes that it may have; default: 64 MiB
 * @throws SafetensorsError of kind `too-large`, before anything is read, where the source has more.
 */
export async function readWhole(source: ByteSource, most = MAX_WHOLE_BYTES): Promise<Uint8Array<ArrayBuffer>> {
  try {
    if (source.size <= most) return await source.read(0, source.size);
    throw new SafetensorsError("too-large", source.name, `it has ${source.size} bytes`, `at most ${most}`);
  } finally {
    await source.close?.();
  }
}

/**
 * As `readWhole`, as text. A byte-order mark is left out.
 *
 * @throws SafetensorsError of kind `too-large`, or `not-utf8`.
 */
export async function readWholeText(source: ByteSource, most?: number): Promise<string> {
  const bytes = await readWhole(source, most);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new SafetensorsError("not-utf8", source.name, "it is not UTF-8", "text in UTF-8", cause);
  }
}
