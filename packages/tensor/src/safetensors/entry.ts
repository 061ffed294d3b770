import { quote } from "../excerpt.ts";
import { byteLength, isSafetensorsDtype, SAFETENSORS_DTYPES, type SafetensorsDtype } from "./dtype.ts";
import { SafetensorsError, type SafetensorsErrorKind } from "./error.ts";
import type { JsonReader } from "./json.ts";

/** More than PyTorch or NumPy allow. Without a limit one shape could fill the memory. */
const MAX_RANK = 64;

export interface TensorEntry {
  readonly name: string;
  readonly dtype: SafetensorsDtype;
  /** Row-major, outermost first; `[]` is a scalar. */
  readonly shape: readonly number[];
  readonly bytes: number;
  /** Where the tensor begins, counted from the start of the file. */
  readonly offset: number;
}

/** The place of an entry: its name, its file, and the data that its offsets point into. */
interface Place {
  readonly name: string;
  readonly file: string;
  readonly dataStart: number;
  readonly dataBytes: number;
}

type Fail = (kind: SafetensorsErrorKind, problem: string, expected: string) => never;

/**
 * Reads and checks `{"dtype": …, "shape": […], "data_offsets": [begin, end]}`, as far as one entry alone can be checked.
 *
 * @throws SafetensorsError that names the tensor.
 */
export function readEntry(reader: JsonReader, { name, file, dataStart, dataBytes }: Place): TensorEntry {
  const fail: Fail = (kind, problem, expected) => {
    throw new SafetensorsError(kind, { file, tensor: name }, problem, expected);
  };
  const { dtype, shape, range } = readFields(reader, fail);
  if (dtype === undefined || shape === undefined || range === undefined) {
    const missing = dtype === undefined ? "dtype" : shape === undefined ? "shape" : "data_offsets";
    return fail("missing-field", `its entry has no ${missing}`, "dtype, shape and data_offsets");
  }
  const [begin, end] = range;
  if (begin > end) return fail("begin-after-end", `its data begin at ${begin} and end at ${end}`, "begin at most end");
  const bytes = byteLength(dtype, shape);
  if (bytes === undefined) {
    return fail("bad-shape", `${dtype} ${quote(shape)} is no whole, countable number of bytes`, "a smaller shape");
  }
  if (bytes !== end - begin) {
    // Where the range also ends beyond the file, its offsets are wrong rather than its shape.
    if (end > dataBytes) fail("out-of-range", `its data end at ${end}`, `offsets up to ${dataBytes}`);
    fail("size-mismatch", `its data_offsets span ${end - begin} bytes`, `${bytes}, for ${dtype} ${quote(shape)}`);
  }
  return { name, dtype, shape, bytes, offset: dataStart + begin };
}

interface Fields {
  dtype?: SafetensorsDtype;
  shape?: readonly number[];
  range?: readonly [begin: number, end: number];
}

/** An entry's fields, each of its type. Fields that are not in the format are skipped, as the reference implementation does. */
function readFields(reader: JsonReader, fail: Fail): Fields {
  const fields: Fields = {};
  const readField = (field: string): void => {
    if (field === "dtype") fields.dtype = readDtype(reader, fail);
    else if (field === "shape") fields.shape = readShape(reader, fail);
    else if (field === "data_offsets") fields.range = readRange(reader, fail);
    else reader.skip();
  };
  const expected = "an object with dtype, shape and data_offsets";
  reader.object(readField, (found) => fail("bad-field", `its entry is ${found}`, expected));
  return fields;
}

function readDtype(reader: JsonReader, fail: Fail): SafetensorsDtype {
  const dtype = reader.string((found) => fail("bad-field", `its dtype is ${found}`, "a string"));
  if (isSafetensorsDtype(dtype)) return dtype;
  return fail("unknown-dtype", `its dtype is ${quote(dtype)}`, `one of ${SAFETENSORS_DTYPES.join(", ")}`);
}

function readShape(reader: JsonReader, fail: Fail): readonly number[] {
  const expected = `an array of at most ${MAX_RANK} whole numbers from 0`;
  return reader.wholeNumbers(MAX_RANK, (found) => fail("bad-shape", `its shape is ${found}`, expected));
}

function readRange(reader: JsonReader, fail: Fail): readonly [begin: number, end: number] {
  const bad = (found: string): never =>
    fail("bad-field", `its data_offsets are ${found}`, "[begin, end], two whole numbers from 0");
  const [begin, end] = reader.wholeNumbers(2, bad);
  return begin === undefined || end === undefined ? bad("too few") : [begin, end];
}
