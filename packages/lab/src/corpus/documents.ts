import { excerpt, parseJson, quote } from "@lethe/tensor";
import type { Line } from "./lines.ts";

/** Where a document's text is: in RedPajama and Dolma, and in RedPajama-V2. */
const FIELDS = ["text", "raw_content"] as const;

/** What is wrong with a line. */
export interface Malformed {
  readonly problem: string;
}

const decoder = new TextDecoder("utf-8", { fatal: true });

/** The text of the document on a line of JSON, or what is wrong with the line; `undefined` where the line is empty. */
export function documentOf({ bytes }: Line): string | Malformed | undefined {
  if (bytes === undefined) return { problem: "it is too long for a document" };
  let line: string;
  try {
    line = decoder.decode(bytes);
  } catch {
    return { problem: "it is not UTF-8" };
  }
  if (line.trim() === "") return undefined;
  let value: unknown;
  try {
    value = jsonOf(line);
  } catch (error) {
    return { problem: `it is not JSON (${excerpt((error as Error).message)})` };
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return { problem: `it is ${quote(value)}, and not a JSON object` };
  const fields = value as Readonly<Record<string, unknown>>;
  const text = FIELDS.map((field) => fields[field]).find((text) => typeof text === "string");
  return text === undefined ? { problem: `it has no text in ${FIELDS.map(quote).join(" or ")}` } : (text as string);
}

function jsonOf(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    // It is slower, and reads the NaN that Python writes into a document's scores.
    return parseJson(line);
  }
}
