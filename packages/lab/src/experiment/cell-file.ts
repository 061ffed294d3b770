import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { LetheError } from "@lethe/tensor";
import stringify from "json-stringify-pretty-compact";
import { z } from "zod";
import { CELL_VERSION, type CellResult, cellResultSchema } from "./cell.ts";
import { ExperimentError } from "./errors.ts";
import { writeWhole } from "./write-whole.ts";

/** A result file that cannot be used: not JSON, cut off, of another format version, or inconsistent in itself. */
export class CellFileError extends LetheError {
  override readonly name = "CellFileError";
}

/** Where a cell's result lies. */
export function cellPath(out: string, id: string): string {
  return join(out, "cells", `${id}.json`);
}

/**
 * The text of a result file. The same result always gives the same bytes: keys in the schema's order, numbers rounded to nine
 * significant digits, which every 32-bit float survives.
 */
export function serializeCell(result: CellResult): string {
  return `${stringify(roundNumbers(cellResultSchema.parse(result)), { maxLength: 120 })}\n`;
}

/** Reads the text of a result file back. @throws CellFileError */
export function parseCell(text: string, path: string): CellResult {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new CellFileError(`${path} is not complete JSON (${(error as Error).message})`);
  }
  const version = (value as { version?: unknown } | null)?.version;
  if (version !== CELL_VERSION) {
    throw new CellFileError(`${path} has format version ${version ?? "unknown"}; this Lethe reads ${CELL_VERSION}`);
  }
  const parsed = cellResultSchema.safeParse(value);
  if (!parsed.success) {
    const problems = z.prettifyError(parsed.error).split("\n");
    throw new CellFileError(`${path} is not a valid result: ${problems.slice(0, 6).join(" ")}`);
  }
  return parsed.data;
}

/** Reads one result file. @throws CellFileError when it is damaged, the file system's own error when it cannot be read */
export async function readCell(path: string): Promise<CellResult> {
  return parseCell(await readFile(path, "utf8"), path);
}

/** Writes a cell's result file, whole or not at all. @throws ExperimentError when the folder cannot be written to */
export async function writeCell(out: string, id: string, result: CellResult): Promise<void> {
  const path = cellPath(out, id);
  try {
    await writeWhole(path, serializeCell(result));
  } catch (error) {
    throw new ExperimentError(`Cannot write ${path}: ${(error as Error).message}`);
  }
}

const SIGNIFICANT_DIGITS = 9;

function roundNumbers(value: unknown): unknown {
  // The sum turns −0 into 0, which JSON could not tell apart on the way back.
  if (typeof value === "number") return Number(value.toPrecision(SIGNIFICANT_DIGITS)) + 0;
  if (Array.isArray(value)) return value.map(roundNumbers);
  if (value !== null && typeof value === "object") {
    return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, roundNumbers(entry)]));
  }
  return value;
}
