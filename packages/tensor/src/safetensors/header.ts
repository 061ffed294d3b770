import { quote } from "../excerpt.ts";
import { checkCoverage } from "./coverage.ts";
import { readEntry, type TensorEntry } from "./entry.ts";
import { SafetensorsError } from "./error.ts";
import { JsonReader } from "./json.ts";
import type { ByteSource } from "./source.ts";

// The format: 8 bytes, little-endian length N of the header; N bytes of JSON; the data, which the header's ranges cover
// exactly. https://github.com/huggingface/safetensors#format
//
// The npm package `safetensors` (0.0.1) is not used: it takes the whole file as one array, so a shard would have to fit in
// memory; it reads the length at the start of the underlying ArrayBuffer whatever the view's offset; it throws a bare
// TypeError on any file with `__metadata__`, which all of Hugging Face's have; and its JSON.parse hides duplicate names.

/** The reference implementation's limit. */
export const MAX_HEADER_BYTES = 100_000_000;

const METADATA = "__metadata__";

export interface Header {
  /** By name, in the order in which they lie in the file. */
  readonly tensors: ReadonlyMap<string, TensorEntry>;
  /** The header's `__metadata__`; empty where it has none. */
  readonly metadata: ReadonlyMap<string, string>;
}

/**
 * Reads and checks a file's header. No byte of tensor data is read, and no memory is allocated for a length that the file does not
 * have.
 *
 * @throws SafetensorsError where the file breaks the format.
 */
export async function readHeader(source: ByteSource): Promise<Header> {
  const { name: file, size } = source;
  if (size < 8) {
    const problem = `the file has ${size} bytes`;
    throw new SafetensorsError("truncated", file, problem, "at least the 8 bytes of the header's length");
  }
  const prefix = await source.read(0, 8);
  const length = new DataView(prefix.buffer).getBigUint64(0, true);
  if (new TextDecoder().decode(prefix) === "version ") {
    const problem = "it is a Git LFS pointer, and the file is not there";
    throw new SafetensorsError("header-too-large", file, problem, "the file itself; run `git lfs pull` in the clone");
  }
  if (length > MAX_HEADER_BYTES) {
    const expected = `at most ${MAX_HEADER_BYTES}; the file may not be safetensors`;
    throw new SafetensorsError("header-too-large", file, `the header claims to be ${length} bytes long`, expected);
  }
  const headerBytes = Number(length);
  if (headerBytes > size - 8) {
    const problem = `the header claims to be ${headerBytes} bytes long, and ${size - 8} follow`;
    throw new SafetensorsError("header-beyond-file", file, problem, "a complete file; fetch it again");
  }
  return parseHeader(await source.read(8, headerBytes), size - 8 - headerBytes, file);
}

/**
 * Checks the JSON of a header against the format and against the number of data bytes that follow it.
 *
 * @param json the header's bytes, without the 8 of the length
 * @param dataBytes bytes in the file after the header
 * @throws SafetensorsError where the file breaks the format.
 */
export function parseHeader(json: Uint8Array, dataBytes: number, file: string): Header {
  const reader = new JsonReader(json, file);
  const dataStart = 8 + json.length;
  const tensors: TensorEntry[] = [];
  let metadata: ReadonlyMap<string, string> = new Map();
  reader.object((name) => {
    if (name === METADATA) metadata = readMetadata(reader, file);
    else tensors.push(readEntry(reader, { name, dataStart, dataBytes, file }));
  });
  reader.end();
  // Only empty tensors can tie. Their names decide, so the order depends on the content alone.
  tensors.sort((a, b) => a.offset - b.offset || a.bytes - b.bytes || (a.name < b.name ? -1 : 1));
  checkCoverage(tensors, dataStart, dataBytes, file);
  return { tensors: new Map(tensors.map((entry) => [entry.name, entry])), metadata };
}

function readMetadata(reader: JsonReader, file: string): ReadonlyMap<string, string> {
  const fail = (problem: string): never => {
    throw new SafetensorsError("bad-metadata", file, problem, "an object of strings");
  };
  const metadata = new Map<string, string>();
  const readPair = (key: string): void => {
    metadata.set(
      key,
      reader.string((found) => fail(`${METADATA} maps ${quote(key)} to ${found}`)),
    );
  };
  // The reference implementation reads null as none.
  if (!reader.null()) reader.object(readPair, (found) => fail(`${METADATA} is ${found}`));
  return metadata;
}
