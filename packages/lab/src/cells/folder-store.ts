import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { writeWhole } from "@lethe/tensor/node";
import { ExperimentError } from "../errors.ts";
import type { CellStore, RecordKind } from "./store.ts";

const ENDING = ".json";

/** Keeps cells in a folder: `<folder>/cells/<id>.json`, and the other kinds of records in folders beside it. */
export class FolderStore implements CellStore {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async list(kind: RecordKind): Promise<string[]> {
    const names = await readdir(join(this.#folder, kind)).catch(ifAbsent([]));
    return names
      .filter((name) => name.endsWith(ENDING))
      .map((name) => name.slice(0, -ENDING.length))
      .sort();
  }

  read(kind: RecordKind, id: string): Promise<string | undefined> {
    return readFile(this.where(kind, id), "utf8").catch(ifAbsent(undefined));
  }

  /** @throws ExperimentError when the folder cannot be written to */
  async write(kind: RecordKind, id: string, text: string): Promise<void> {
    const path = this.where(kind, id);
    await writeWhole(path, text).catch((error: Error) => {
      throw new ExperimentError(`Cannot write ${path}: ${error.message}`);
    });
  }

  where(kind: RecordKind, id: string): string {
    return join(this.#folder, kind, `${id}${ENDING}`);
  }
}

function ifAbsent<T>(value: T): (error: NodeJS.ErrnoException) => T {
  return (error) => {
    if (error.code === "ENOENT") return value;
    throw error;
  };
}
