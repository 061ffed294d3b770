import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseRecord, type RecipeRecord } from "./record.ts";

/** The folder of results where `--find-rate` keeps what it finds. */
export const FOUND_RECIPES = "find-rate";

/**
 * Reads all records of a folder; none where there is no such folder.
 * @throws ExperimentError when a file is no record
 */
export async function readRecords(folder: string): Promise<RecipeRecord[]> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw error;
  });
  const files = names.filter((name) => name.endsWith(".json")).sort();
  return Promise.all(
    files.map(async (name) => parseRecord(await readFile(join(folder, name), "utf8"), join(folder, name))),
  );
}
