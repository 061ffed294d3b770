import { LetheError } from "../errors.ts";

/** What was wrong, for code that has to choose; the message is for people. */
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
  | "unlisted-tensor"
  // What a caller asked for.
  | "no-such-tensor"
  | "unsupported-dtype"
  | "too-large"
  | "inexact-integer"
  | "reserved-name";

export interface SafetensorsErrorDetails {
  /** The file, as its source names it. */
  readonly file: string;
  readonly tensor?: string | undefined;
  /** What was found, without a full stop. */
  readonly problem: string;
  /** What should have been there, or what to do, without a full stop. */
  readonly expected: string;
  readonly cause?: unknown;
}

/** Every way in which a safetensors file, an index or a request about one can be wrong. */
export class SafetensorsError extends LetheError {
  override readonly name = "SafetensorsError";
  readonly kind: SafetensorsErrorKind;
  readonly file: string;
  readonly tensor: string | undefined;
  readonly expected: string;

  constructor(kind: SafetensorsErrorKind, details: SafetensorsErrorDetails) {
    const { file, tensor, problem, expected, cause } = details;
    const where = tensor === undefined ? file : `${file}: tensor ${quote(tensor)}`;
    super(`${where}: ${problem}. Expected: ${expected}.`, { cause });
    this.kind = kind;
    this.file = file;
    this.tensor = tensor;
    this.expected = expected;
  }
}

/** A value as an error shows it: as JSON, cut where a hostile file would fill the screen. */
export function quote(value: unknown): string {
  return excerpt(JSON.stringify(typeof value === "string" ? value.slice(0, 200) : value) ?? "undefined");
}

/** The beginning of a text from a file. */
export function excerpt(text: string): string {
  return text.length > 120 ? `${text.slice(0, 120)}…` : text;
}
