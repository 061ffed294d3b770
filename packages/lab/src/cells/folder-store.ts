import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { openSafetensors } from "@lethe/tensor";
import { findFileSource, readTextFile, removeAbandonedFiles, writeSafetensors } from "@lethe/tensor/node";
import { namesIn, ownPath, writeInto } from "./out-folder.ts";
import type { CellStore, RecordKind, UnfinishedStore } from "./store.ts";

const ENDING = ".json";
const UNFINISHED = "unfinished";

/**
 * Keeps cells in a folder: `<folder>/cells/<id>.json`, and the other kinds of records in folders beside it. What unfinished cells have done
 * so far is in `<folder>/unfinished/<id>.safetensors`.
 */
export class FolderStore implements CellStore {
  readonly unfinished: UnfinishedStore;
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
    const pathOf = (id: string) => join(UNFINISHED, `${id}.safetensors`);
    const where = (id: string) => join(folder, pathOf(id));
    this.unfinished = {
      where,
      async open(id) {
        const source = await findFileSource(where(id));
        return source && openSafetensors(source);
      },
      has: async (id) => existsSync(where(id)),
      write: async (id, tensors, metadata) => writeSafetensors(await ownPath(folder, pathOf(id)), tensors, metadata),
      remove: async (id) => rm(await ownPath(folder, pathOf(id)), { force: true }),
    };
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

  /** Removes what killed processes left: files that they were writing, and the unfinished work of cells that are finished. */
  async removeAbandoned(finished: readonly string[]): Promise<void> {
    const kinds: readonly RecordKind[] = ["cells", "timings", "runs"];
    for (const name of [".", "figures", UNFINISHED, ...kinds]) await removeAbandonedFiles(join(this.#folder, name));
    for (const id of finished) await this.unfinished.remove(id);
  }
}
