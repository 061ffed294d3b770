import { LetheError } from "../errors.ts";
import { quote } from "../excerpt.ts";

/** The kind of problem, for programs to act on. The message is for people. */
export type SafetensorsErrorKind =
  // The file as a whole.
  | "not-found"
  | "io"
  | "no-ranges"
  | "truncated"
  | "header-too-large"
  | "header-beyond-file"
  // The header as JSON.
  | "not-utf8"
  | "not-json"
  | "not-object"
  | "duplicate-name"
  | "bad-metadata"
  // One tensor's entry.
  | "missing-field"
  | "bad-field"
  | "unknown-dtype"
  | "bad-shape"
  | "size-mismatch"
  // Offsets among each other and against the data.
  | "begin-after-end"
  | "out-of-range"
  | "overlap"
  | "hole"
  // A sharded checkpoint's index.
  | "bad-index"
  | "missing-shard"
  | "missing-tensor"
  // A request.
  | "no-such-tensor"
  | "too-large"
  | "reserved-name";

/** A safetensors file, an index, or a request about one is wrong. */
export class SafetensorsError extends LetheError {
  override readonly name = "SafetensorsError";
  readonly kind: SafetensorsErrorKind;
  readonly file: string;
  readonly tensor: string | undefined;
  readonly expected: string;

  /**
   * @param place the file, as its source names it, or the tensor in it
   * @param problem what was found; no full stop
   * @param expected what was expected, or what to do; no full stop
   */
  constructor(
    kind: SafetensorsErrorKind,
    place: string | { readonly file: string; readonly tensor?: string | undefined },
    problem: string,
    expected: string,
    cause?: unknown,
  ) {
    const { file, tensor } = typeof place === "string" ? { file: place } : place;
    const where = tensor === undefined ? file : `${file}: tensor ${quote(tensor)}`;
    super(`${where}: ${problem}. Expected: ${expected}.`, { cause });
    this.kind = kind;
    this.file = file;
    this.tensor = tensor;
    this.expected = expected;
  }
}
