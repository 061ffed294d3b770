import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { CellResult } from "../experiment/cell.ts";
import { CellFileError, cellPath, readCell } from "../experiment/cell-file.ts";
import { ExperimentError } from "../experiment/errors.ts";
import { METHODS } from "../experiment/presets.ts";

/** Everything a report is made of. */
export interface Results {
  /** By model, then concept, then method. */
  readonly cells: readonly CellResult[];
  /** One line for each result file that could not be used. */
  readonly skipped: readonly string[];
  /** The adapters that did the work, each once. */
  readonly adapters: readonly string[];
}

/**
 * Reads an experiment's result files.
 * @throws ExperimentError when the folder has no usable result
 */
export async function readResults(out: string): Promise<Results> {
  const files = await readdir(join(out, "cells")).catch(() => []);
  const ids = files.filter((name) => name.endsWith(".json")).map((name) => name.slice(0, -".json".length));
  const cells: CellResult[] = [];
  const skipped: string[] = [];
  const adapters = new Set<string>();
  for (const id of ids.sort()) {
    try {
      cells.push(await readCell(cellPath(out, id)));
    } catch (error) {
      if (!(error instanceof CellFileError)) throw error;
      skipped.push(error.message);
      continue;
    }
    const adapter = await readAdapter(join(out, "timings", `${id}.json`));
    if (adapter !== null) adapters.add(adapter);
  }
  if (cells.length === 0)
    throw new ExperimentError(`${join(out, "cells")} holds no usable result, so nothing can be reported.`);
  return { cells: cells.sort(inOrder), skipped, adapters: [...adapters].sort() };
}

const timingsSchema = z.object({ adapter: z.object({ name: z.string(), software: z.boolean() }) });

/** Which adapter ran a cell, or null where that is not on record: a report does not depend on it. */
async function readAdapter(path: string): Promise<string | null> {
  try {
    const { name, software } = timingsSchema.parse(JSON.parse(await readFile(path, "utf8"))).adapter;
    return software ? `${name} (software)` : name;
  } catch {
    return null;
  }
}

function inOrder({ config: a }: CellResult, { config: b }: CellResult): number {
  return (
    compare(a.model.name, b.model.name) ||
    compare(a.concept.id, b.concept.id) ||
    METHODS.indexOf(a.training.objective.name) - METHODS.indexOf(b.training.objective.name)
  );
}

/** Not localeCompare: the order must not depend on the machine's language. */
function compare(a: string | number, b: string | number): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
