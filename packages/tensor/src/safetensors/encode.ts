import { quote } from "../excerpt.ts";
import { byteLength, dtypeRank, isSafetensorsDtype, SAFETENSORS_DTYPES, type SafetensorsDtype } from "./dtype.ts";
import { SafetensorsError, type SafetensorsErrorKind } from "./error.ts";
import { MAX_HEADER_BYTES } from "./header.ts";

/** A tensor to be written. `Data` is its bytes, little-endian and row-major, or a source of them. */
export interface TensorToWrite<Data = Uint8Array> {
  readonly name: string;
  readonly dtype: SafetensorsDtype;
  readonly shape: readonly number[];
  readonly data: Data;
}

export interface Layout<Data> {
  /** The beginning of the file: the header's length and the header. */
  readonly header: Uint8Array<ArrayBuffer>;
  /** In the order in which their bytes follow. */
  readonly tensors: readonly (TensorToWrite<Data> & { readonly bytes: number })[];
  /** Bytes of the whole file. */
  readonly size: number;
}

/**
 * The layout of a file with these tensors and this metadata. It depends on the content alone and not on the order in which things
 * are given. Tensors come by falling width of their type and then by name, as in the reference implementation, so that each is
 * aligned to its element; metadata come by key; spaces pad the header to a multiple of 8.
 *
 * @param file what to call the file in an error
 * @throws SafetensorsError of kind `duplicate-name`, `reserved-name`, `unknown-dtype`, `bad-shape`, `not-utf8`, `bad-metadata`
 *   or `header-too-large`.
 */
export function layOut<Data>(
  tensors: Iterable<TensorToWrite<Data>>,
  metadata: Readonly<Record<string, string>>,
  file: string,
): Layout<Data> {
  const sized = Array.from(tensors, (tensor) => ({ ...tensor, bytes: checkedBytes(tensor, file) }));
  sized.sort((a, b) => dtypeRank(b.dtype) - dtypeRank(a.dtype) || compareCodePoints(a.name, b.name));
  // Not one JSON.stringify: an object would move names that look like integers to the front.
  const fields: string[] = [];
  if (Object.keys(metadata).length > 0) fields.push(`"__metadata__":${encodeMetadata(metadata, file)}`);
  let end = 0;
  const names = new Set<string>();
  for (const { name, dtype, shape, bytes } of sized) {
    if (names.has(name)) {
      throw new SafetensorsError("duplicate-name", { file, tensor: name }, "it is given twice", "every name once");
    }
    names.add(name);
    const entry = JSON.stringify({ dtype, shape, data_offsets: [end, end + bytes] });
    fields.push(`${JSON.stringify(name)}:${entry}`);
    end += bytes;
  }
  const json = new TextEncoder().encode(`{${fields.join(",")}}`);
  const headerBytes = Math.ceil(json.length / 8) * 8;
  if (headerBytes > MAX_HEADER_BYTES) {
    const problem = `the header would be ${headerBytes} bytes long`;
    throw new SafetensorsError("header-too-large", file, problem, `at most ${MAX_HEADER_BYTES}`);
  }
  const header = new Uint8Array(8 + headerBytes).fill(0x20);
  new DataView(header.buffer).setBigUint64(0, BigInt(headerBytes), true);
  header.set(json, 8);
  return { header, tensors: sized, size: header.length + end };
}

/**
 * A whole safetensors file in memory.
 *
 * @throws SafetensorsError as `layOut`, and of kind `size-mismatch` where data do not fill their tensor.
 */
export function encodeSafetensors(
  tensors: Iterable<TensorToWrite>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  const file = "(encoding)";
  const layout = layOut(tensors, metadata, file);
  const result = new Uint8Array(layout.size);
  result.set(layout.header);
  let at = layout.header.length;
  for (const { name, bytes, data } of layout.tensors) {
    if (data.length !== bytes) throw wrongSize(file, name, data.length, bytes);
    result.set(data, at);
    at += bytes;
  }
  return result;
}

export function wrongSize(file: string, tensor: string, found: number, bytes: number): SafetensorsError {
  const problem = `its data are ${found} bytes`;
  return new SafetensorsError("size-mismatch", { file, tensor }, problem, `${bytes}, for its dtype and shape`);
}

function checkedBytes(tensor: TensorToWrite<unknown>, file: string): number {
  const { name, dtype, shape } = tensor;
  const fail = (kind: SafetensorsErrorKind, problem: string, expected: string): never => {
    throw new SafetensorsError(kind, { file, tensor: name }, problem, expected);
  };
  if (name === "__metadata__") fail("reserved-name", "the format reserves this name", "another name");
  if (!isWellFormed(name)) fail("not-utf8", "its name has half of a surrogate pair", "a name with a UTF-8 form");
  if (!isSafetensorsDtype(dtype)) {
    fail("unknown-dtype", `its dtype is ${quote(dtype)}`, `one of ${SAFETENSORS_DTYPES.join(", ")}`);
  }
  if (!shape.every((n) => Number.isSafeInteger(n) && n >= 0)) {
    fail("bad-shape", `its shape is ${quote(shape)}`, "whole numbers from 0");
  }
  return (
    byteLength(dtype, shape) ??
    fail("bad-shape", `${dtype} ${quote(shape)} is no whole, countable number of bytes`, "a smaller shape")
  );
}

function encodeMetadata(metadata: Readonly<Record<string, string>>, file: string): string {
  const pairs = Object.entries(metadata).sort(([a], [b]) => compareCodePoints(a, b));
  for (const [key, value] of pairs) {
    if (typeof value === "string" && isWellFormed(key) && isWellFormed(value)) continue;
    const problem = `the metadata map ${quote(key)} to ${quote(value)}`;
    throw new SafetensorsError("bad-metadata", file, problem, "strings that have a UTF-8 form");
  }
  return `{${pairs.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join(",")}}`;
}

/** Whether a text has no half of a surrogate pair, which UTF-8 cannot write. */
function isWellFormed(text: string): boolean {
  return !/\p{Surrogate}/u.test(text);
}

/** Compares in the order of the UTF-8 bytes, that is, of the code points. JavaScript itself compares UTF-16 units. */
function compareCodePoints(a: string, b: string): number {
  const left = [...a];
  const right = [...b];
  for (let i = 0; i < left.length && i < right.length; i++) {
    const difference = left[i]!.codePointAt(0)! - right[i]!.codePointAt(0)!;
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}
