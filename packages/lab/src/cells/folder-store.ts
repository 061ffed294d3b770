import { join } from "node:path";
import { readTextFile } from "@lethe/tensor/node";
import { namesIn, writeInto } from "./out-folder.ts";
import type { CellStore, RecordKind } from "./store.ts";

const ENDING = ".json";

/** Keeps cells in a folder: `<folder>/cells/<id>.json`, and the other kinds of records in folders beside it. */
export class FolderStore implements CellStore {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async list(kind: RecordKind): Promise<string[]> {
    const names = await namesIn(join(this.#folder, kind));
    return names
      .filter((name) => name.endsWith(ENDING))
      .map((name) => name.slice(0, -ENDING.length))
      .sort();
  }

  read(kind: RecordKind, id: string): Promise<string | undefined> {
    return readTextFile(this.where(kind, id));
  }

  write(kind: RecordKind, id: string, text: string): Promise<void> {
    return writeInto(this.#folder, join(kind, `${id}${ENDING}`), text);
  }

  where(kind: RecordKind, id: string): string {
    return join(this.#folder, kind, `${id}${ENDING}`);
  }
}
