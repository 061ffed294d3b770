/** The kinds of records: results, the time that each took, and one record of each process. */
export type RecordKind = "cells" | "timings" | "runs";

/** A place for an experiment's records, such as a folder. Any number of processes may use it at the same time. */
export interface CellStore {
  /** The ids of all records of a kind, sorted. */
  list(kind: RecordKind): Promise<string[]>;
  /** A record's text, or `undefined` where there is no such record. */
  read(kind: RecordKind, id: string): Promise<string | undefined>;
  /** Writes a record whole or not at all, and replaces an earlier one. */
  write(kind: RecordKind, id: string, text: string): Promise<void>;
  /** Names a record's place in messages. */
  where(kind: RecordKind, id: string): string;
}
