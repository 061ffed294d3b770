import { LetheError } from "@lethe/tensor";
import stringify from "json-stringify-pretty-compact";
import { z } from "zod";
import type { Study } from "../studies/study.ts";
import { CELL_VERSION, type CellResult, cellSchema } from "./cell.ts";

/** A cell's file cannot be used: it is not JSON, is cut off, has another format version, contradicts itself, or is another cell's. */
export class CellFileError extends LetheError {
  override readonly name = "CellFileError";
}

/**
 * The text of a cell's file. The same result always gives the same bytes: keys are in the schema's order, and numbers have nine
 * significant digits, which is enough for every 32-bit float.
 * @throws CellFileError when a number is not finite, lists do not match in length, or nothing can be recovered
 */
export function serializeCell(result: CellResult, studies: readonly Study[]): string {
  return `${stringify(roundNumbers(checked(result, "the result", studies)), { maxLength: 120 })}\n`;
}

/**
 * Reads the text of a cell's file.
 * @param where names the file in messages
 * @throws CellFileError
 */
export function parseCell(text: string, where: string, studies: readonly Study[]): CellResult {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new CellFileError(`${where} is not complete JSON (${(error as Error).message})`);
  }
  const version = (value as { version?: unknown } | null)?.version;
  if (version !== CELL_VERSION)
    throw new CellFileError(`${where} has format version ${version ?? "unknown"}; this Lethe reads ${CELL_VERSION}`);
  return checked(value, where, studies);
}

function checked(value: unknown, where: string, studies: readonly Study[]): CellResult {
  const { data, error } = cellSchema(studies).safeParse(value);
  if (data) return data;
  const problems = z.prettifyError(error).split("\n");
  throw new CellFileError(`${where} is not valid: ${problems.slice(0, 6).join(" ")}`);
}

const SIGNIFICANT_DIGITS = 9;

function roundNumbers(value: unknown): unknown {
  // Adding 0 turns −0 into 0, because JSON cannot tell the two apart.
  if (typeof value === "number") return Number(value.toPrecision(SIGNIFICANT_DIGITS)) + 0;
  if (Array.isArray(value)) return value.map(roundNumbers);
  if (value !== null && typeof value === "object") {
    return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, roundNumbers(entry)]));
  }
  return value;
}
