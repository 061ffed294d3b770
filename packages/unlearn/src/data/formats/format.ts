import type { z } from "zod";
import type { Concept } from "../concepts.ts";
import type { DataRecord } from "../json-records.ts";

/**
 * Reads a text file. `path` is one that was given to `readConcepts`, or a file in the same folder: a data file can name no file elsewhere.
 */
export type ReadText = (path: string) => Promise<string>;

/** A data file, and how to read those that it names. */
export interface DataFile {
  readonly path: string;
  readonly readText: ReadText;
}

/** A form in which data are published. A new one is a file in this folder and an entry in `list.ts`. */
export interface DataFormat<R = unknown> {
  /** As it is chosen, such as `tofu`. */
  readonly name: string;
  /** What the data are, and the fields of a record, in a few words. */
  readonly description: string;
  /** Whether a record has the fields that tell this format from others. What they hold is for `record` to check. */
  recognises(record: Readonly<Record<string, unknown>>): boolean;
  /** What a record must be. Other fields than those that it names may be there. */
  readonly record: z.ZodType<R>;
  /**
   * The concepts of a file. Where the format has no unrelated questions, they are left empty: they, and what is retained, come from a
   * second file.
   * @param records of one record at least
   * @throws ConceptDataError naming file and record
   */
  concepts(records: readonly DataRecord<R>[], file: DataFile): readonly Concept[] | Promise<readonly Concept[]>;
}

/** Whether a record has all of these fields. */
export function hasFields(record: Readonly<Record<string, unknown>>, ...fields: readonly string[]): boolean {
  return fields.every((field) => Object.hasOwn(record, field));
}
