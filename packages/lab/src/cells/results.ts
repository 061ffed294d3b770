import { z } from "zod";
import type { Study } from "../studies/study.ts";
import { subjectKind } from "../subjects/list.ts";
import { type Cell, type CellConfig, type CellResult, cellId, stemOf } from "./cell.ts";
import { CellFileError, parseCell } from "./cell-file.ts";
import { adapterTitle } from "./run-cells.ts";
import type { CellStore } from "./store.ts";

/** The state of an experiment in a store. */
export interface Results {
  /** Results of the experiment's cells, by model, then concept, then subject, then seed. */
  readonly cells: readonly CellResult[];
  /** The cells without a result that can be used. */
  readonly open: readonly Cell[];
  /** One line for each open cell whose result is there but cannot be used. */
  readonly damaged: readonly string[];
  /** One line for each result that other options gave: which one, and how its configuration differs. */
  readonly others: readonly string[];
  /** The adapters that ran the cells, each once. An adapter that is not on record is left out. */
  readonly adapters: readonly string[];
}

/**
 * Reads the results of an experiment's cells. Other results in the same store are listed, and not used.
 * @throws the store's error where one of the experiment's cells is there and cannot be read, because it is no file
 */
export async function readResults(
  store: CellStore,
  cells: readonly Cell[],
  studies: readonly Study[],
): Promise<Results> {
  const results: CellResult[] = [];
  const open: Cell[] = [];
  const damaged: string[] = [];
  const adapters = new Set<string>();
  for (const cell of cells) {
    const result = await readCell(store, cell.id, studies);
    if (result === undefined || result instanceof CellFileError) open.push(cell);
    else {
      results.push(result);
      for (const adapter of await readAdapter(store, cell.id)) adapters.add(adapter);
    }
    if (result instanceof CellFileError) damaged.push(result.message);
  }
  const others: string[] = [];
  for (const id of await store.list("cells")) {
    if (cells.some((cell) => cell.id === id)) continue;
    const result = await readCell(store, id, studies).catch((error: Error) => error);
    const named = cells.filter((cell) => stemOf(cell.id) === stemOf(id));
    if (result instanceof Error) {
      others.push(result.message);
      continue;
    }
    const planned = named.find((cell) => cell.config.seed === result?.config.seed) ?? named[0];
    if (result && planned) others.push(`${id}: ${configDifferences(result.config, planned.config).join("; ")}`);
    else others.push(`${id}: not part of this experiment`);
  }
  return { cells: results.sort(inOrder), open, damaged, others, adapters: [...adapters].sort() };
}

/** The result of a cell, `undefined` where there is none, or the error that says what is wrong with it. */
async function readCell(store: CellStore, id: string, studies: readonly Study[]) {
  const text = await store.read("cells", id);
  if (text === undefined) return undefined;
  const where = store.where("cells", id);
  try {
    const result = parseCell(text, where, studies);
    return cellId(result.config) === id
      ? result
      : new CellFileError(`${where} is the result of ${cellId(result.config)}`);
  } catch (error) {
    if (error instanceof CellFileError) return error;
    throw error;
  }
}

const timingsSchema = z.object({ adapter: z.object({ name: z.string(), software: z.boolean() }) });

/** The adapter that ran a cell; none where that is not on record, because a report does not depend on it. */
async function readAdapter(store: CellStore, id: string): Promise<string[]> {
  try {
    return [adapterTitle(timingsSchema.parse(JSON.parse((await store.read("timings", id)) ?? "")).adapter)];
  } catch {
    return [];
  }
}

function inOrder({ config: a }: CellResult, { config: b }: CellResult): number {
  const label = ({ subject }: CellConfig) => subjectKind(subject).label(subject).name;
  const number = ({ concept }: CellConfig) => concept.id ?? Number.POSITIVE_INFINITY;
  return (
    compare(a.model.name, b.model.name) ||
    compare(number(a), number(b)) ||
    compare(a.concept.name, b.concept.name) ||
    compare(label(a), label(b)) ||
    compare(a.seed, b.seed)
  );
}

/** Compares as `sort` wants it. localeCompare would depend on the machine's language. */
function compare(a: string | number, b: string | number): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The fields in which a result's configuration differs from the wanted one, in words. */
function configDifferences(found: CellConfig, wanted: CellConfig): string[] {
  const before = flatten(found);
  const now = flatten(wanted);
  const show = (value: string | undefined) => value ?? "absent";
  return [...new Set([...before.keys(), ...now.keys()])]
    .filter((field) => before.get(field) !== now.get(field))
    .map((field) => `${field} is ${show(before.get(field))} in it and ${show(now.get(field))} now`);
}

function flatten(value: unknown, path = "", into = new Map<string, string>()): Map<string, string> {
  if (value === null || typeof value !== "object") return into.set(path, JSON.stringify(value));
  for (const [key, entry] of Object.entries(value)) flatten(entry, path === "" ? key : `${path}.${key}`, into);
  return into;
}
