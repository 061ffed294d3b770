import { checkCoverage } from "./coverage.ts";
import { byteLength, isSafetensorsDtype, SAFETENSORS_DTYPES, type SafetensorsDtype } from "./dtype.ts";
import { quote, SafetensorsError, type SafetensorsErrorKind } from "./error.ts";
import { type JsonObject, parseJsonObject } from "./json.ts";
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

export interface TensorEntry {
  readonly name: string;
  readonly dtype: SafetensorsDtype;
  /** Row-major, outermost first; `[]` is a scalar. */
  readonly shape: readonly number[];
  readonly bytes: number;
  /** Where the tensor begins, counted from the start of the file. */
  readonly offset: number;
}

export interface Header {
  /** By name, in the order in which they lie in the file. */
  readonly tensors: ReadonlyMap<string, TensorEntry>;
  /** The header's `__metadata__`; empty where it has none. */
  readonly metadata: ReadonlyMap<string, string>;
}

/**
 * Reads and checks a file's header. No byte of tensor data is read, and nothing is allocated on the word of a length that
 * the file does not bear out.
 *
 * @throws SafetensorsError for whatever the format forbids.
 */
export async function readHeader(source: ByteSource): Promise<Header> {
  const { name: file, size } = source;
  if (size < 8) {
    const problem = `the file has ${size} bytes`;
    throw new SafetensorsError("truncated", { file, problem, expected: "at least the 8 bytes of the header's length" });
  }
  const prefix = await source.read(0, 8);
  const length = new DataView(prefix.buffer).getBigUint64(0, true);
  if (length > MAX_HEADER_BYTES) {
    const problem = `the header claims to be ${length} bytes long`;
    const expected = `at most ${MAX_HEADER_BYTES}; the file may not be safetensors`;
    throw new SafetensorsError("header-too-large", { file, problem, expected });
  }
  const headerBytes = Number(length);
  if (headerBytes > size - 8) {
    const problem = `the header claims to be ${headerBytes} bytes long, and ${size - 8} follow`;
    throw new SafetensorsError("header-beyond-file", { file, problem, expected: "a complete file; fetch it again" });
  }
  return parseHeader(await source.read(8, headerBytes), size - 8 - headerBytes, file);
}

/**
 * Checks the JSON of a header against the format and against the number of data bytes that follow it.
 *
 * @param json the header's bytes, without the 8 of the length
 * @param dataBytes bytes in the file after the header
 * @throws SafetensorsError for whatever the format forbids.
 */
export function parseHeader(json: Uint8Array, dataBytes: number, file: string): Header {
  const entries = parseJsonObject(json, file, "the header");
  const dataStart = 8 + json.length;
  const tensors = Object.entries(entries)
    .filter(([name]) => name !== METADATA)
    .map(([name, entry]) => parseEntry(name, entry, dataStart, dataBytes, file));
  // Ties only among empty tensors; the name makes the order a function of the content.
  tensors.sort((a, b) => a.offset - b.offset || a.bytes - b.bytes || (a.name < b.name ? -1 : 1));
  checkCoverage(tensors, dataStart, dataBytes, file);
  return { tensors: new Map(tensors.map((entry) => [entry.name, entry])), metadata: parseMetadata(entries, file) };
}

function parseEntry(name: string, entry: unknown, dataStart: number, dataBytes: number, file: string): TensorEntry {
  const fail = (kind: SafetensorsErrorKind, problem: string, expected: string): never => {
    throw new SafetensorsError(kind, { file, tensor: name, problem, expected });
  };
  if (!isObject(entry)) {
    return fail("bad-field", `its entry is ${quote(entry)}`, "an object with dtype, shape and data_offsets");
  }
  for (const field of ["dtype", "shape", "data_offsets"]) {
    if (!Object.hasOwn(entry, field)) {
      const rest = Object.keys(entry).slice(0, 8).join(", ") || "nothing";
      fail("missing-field", `its entry has no ${field} (it has ${rest})`, "dtype, shape and data_offsets");
    }
  }
  const { dtype, shape, data_offsets: offsets } = entry;
  if (typeof dtype !== "string") return fail("bad-field", `its dtype is ${quote(dtype)}`, "a string");
  if (!isSafetensorsDtype(dtype)) {
    return fail("unknown-dtype", `its dtype is ${quote(dtype)}`, `one of ${SAFETENSORS_DTYPES.join(", ")}`);
  }
  if (!isCounts(shape)) return fail("bad-shape", `its shape is ${quote(shape)}`, "an array of whole numbers from 0");
  if (!isCounts(offsets) || offsets.length !== 2) {
    return fail("bad-field", `its data_offsets are ${quote(offsets)}`, "[begin, end], whole numbers from 0");
  }
  const [begin, end] = offsets as [number, number];
  if (begin > end) return fail("begin-after-end", `its data begin at ${begin} and end at ${end}`, "begin at most end");
  const bytes = byteLength(dtype, shape);
  if (bytes === undefined) {
    return fail("bad-shape", `${dtype} ${quote(shape)} is no whole, countable number of bytes`, "a smaller shape");
  }
  if (bytes !== end - begin) {
    // A range beyond the file as well as of the wrong size is a wrong offset rather than a wrong shape.
    if (end > dataBytes) fail("out-of-range", `its data end at ${end}`, `offsets up to ${dataBytes}`);
    fail("size-mismatch", `its data_offsets span ${end - begin} bytes`, `${bytes}, for ${dtype} ${quote(shape)}`);
  }
  return { name, dtype, shape, bytes, offset: dataStart + begin };
}

function parseMetadata(entries: JsonObject, file: string): ReadonlyMap<string, string> {
  if (!Object.hasOwn(entries, METADATA)) return new Map();
  const metadata = entries[METADATA];
  const fail = (problem: string): never => {
    throw new SafetensorsError("bad-metadata", { file, problem, expected: "an object of strings" });
  };
  if (!isObject(metadata)) return fail(`${METADATA} is ${quote(metadata)}`);
  const pairs = Object.entries(metadata).map(([key, value]): [string, string] => {
    if (typeof value !== "string") return fail(`${METADATA} maps ${quote(key)} to ${quote(value)}`);
    return [key, value];
  });
  return new Map(pairs);
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whole numbers from 0 that a double holds exactly; `-0` is no count, whatever JSON says. */
function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && n >= 0 && !Object.is(n, -0));
}
