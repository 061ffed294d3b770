import type { Checkpoint, TensorToWrite } from "@lethe/tensor";
import type { TensorData } from "@lethe/tensor/node";

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
  /** The unfinished work of cells. Absent where the place has no room for a model's weights; an interrupted cell starts anew there. */
  readonly unfinished?: UnfinishedStore;
}

/** A place for what cells that are not finished have done so far: one safetensors file for each. */
export interface UnfinishedStore {
  /**
   * Opens a cell's file, `undefined` where there is none.
   * @throws SafetensorsError where it cannot be read
   */
  open(id: string): Promise<Checkpoint | undefined>;
  /** Writes a cell's file whole or not at all, and replaces an earlier one. The tensors' bytes are asked for one after another. */
  write(
    id: string,
    tensors: Iterable<TensorToWrite<TensorData>>,
    metadata: Readonly<Record<string, string>>,
  ): Promise<void>;
  /** Removes a cell's file, if there is one. */
  remove(id: string): Promise<void>;
  /** Whether a cell has such a file. */
  has(id: string): Promise<boolean>;
  /** Names the file in messages. */
  where(id: string): string;
}
