import { readdir } from "node:fs/promises";
import { type CellConfig, cellConfigSchema } from "./cell.ts";
import { CellFileError, cellPath, readCell } from "./cell-file.ts";
import { ExperimentError } from "./errors.ts";
import type { Cell } from "./types.ts";

/** What is to be done, and why, with the cells of an experiment whose folder may hold some of them already. */
export interface ResumePlan {
  readonly finished: readonly Cell[];
  readonly open: readonly Cell[];
  /** One line a cell whose file is there and no use. */
  readonly damaged: readonly string[];
}

/**
 * Looks which cells are finished. A damaged file counts as open, to be written again. A sound file of another configuration is
 * somebody's result: it is never overwritten.
 * @throws ExperimentError naming every difference, when a file was made with another configuration
 */
export async function planResume(out: string, cells: readonly Cell[]): Promise<ResumePlan> {
  const finished: Cell[] = [];
  const open: Cell[] = [];
  const damaged: string[] = [];
  for (const cell of cells) {
    const state = await inspect(out, cell);
    if (state === "finished") finished.push(cell);
    else open.push(cell);
    if (state instanceof CellFileError) damaged.push(`${state.message}; running this cell again`);
  }
  return { finished, open, damaged };
}

/** @throws ExperimentError when a folder that should be new holds something */
export async function requireEmpty(out: string): Promise<void> {
  const entries = await readdir(out).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw new ExperimentError(`--out ${out}: ${error.message}`);
  });
  if (entries.length > 0) {
    throw new ExperimentError(
      `--out ${out} is not empty. Add --resume to go on with the experiment in it, or name another folder.`,
    );
  }
}

async function inspect(out: string, cell: Cell): Promise<"finished" | "open" | CellFileError> {
  const path = cellPath(out, cell.id);
  try {
    const differences = configDifferences((await readCell(path)).config, cell.config);
    if (differences.length === 0) return "finished";
    throw new ExperimentError(
      `${path} was made with another configuration:\n${differences.map((line) => `  ${line}\n`).join("")}` +
        "Use the same options as before, or another --out, or delete the file to run this cell again.",
    );
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "open";
    if (error instanceof CellFileError) return error;
    throw error;
  }
}

/** The fields in which a file's configuration differs from the wanted one, as lines for people. */
export function configDifferences(found: CellConfig, wanted: CellConfig): string[] {
  const before = flatten(cellConfigSchema.parse(found));
  const now = flatten(cellConfigSchema.parse(wanted));
  const fields = new Set([...before.keys(), ...now.keys()]);
  const show = (value: string | undefined) => value ?? "absent";
  return [...fields]
    .filter((field) => before.get(field) !== now.get(field))
    .map((field) => `${field} is ${show(before.get(field))} in the file and ${show(now.get(field))} now`);
}

function flatten(value: unknown, path = "", into = new Map<string, string>()): Map<string, string> {
  if (value === null || typeof value !== "object") return into.set(path, JSON.stringify(value));
  for (const [key, entry] of Object.entries(value)) flatten(entry, path === "" ? key : `${path}.${key}`, into);
  return into;
}
