import type { CellStore, RecordKind } from "../../cells/store.ts";

/** Keeps an experiment's records in memory. */
export class MemoryStore implements CellStore {
  readonly #records = new Map<string, string>();

  async list(kind: RecordKind): Promise<string[]> {
    const of = `${kind}/`;
    return [...this.#records.keys()]
      .filter((key) => key.startsWith(of))
      .map((key) => key.slice(of.length))
      .sort();
  }

  async read(kind: RecordKind, id: string): Promise<string | undefined> {
    return this.#records.get(`${kind}/${id}`);
  }

  async write(kind: RecordKind, id: string, text: string): Promise<void> {
    this.#records.set(`${kind}/${id}`, text);
  }

  where(kind: RecordKind, id: string): string {
    return `${kind}/${id}.json`;
  }
}
