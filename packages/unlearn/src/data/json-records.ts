import { parseJson, quote } from "@lethe/tensor";
import { checked, text } from "@lethe/tensor/checked";
import { strip } from "../white-space.ts";
import { ConceptDataError } from "./concepts.ts";

/** A record of a data file, and where it is: the file, the line of its first character, and in an array its number from 1. */
export interface DataRecord<T = Readonly<Record<string, unknown>>> {
  readonly where: string;
  readonly value: T;
}

/** More than any file of questions or documents has. */
const MOST_RECORDS = 1_000_000;

/** JSON's own white space. */
const space = /[ \t\n\r]*/y;

/**
 * The records of a JSON file: those of an array, or one a line (JSON lines). A file that is one object over several lines is one record. A
 * byte-order mark and empty lines are skipped.
 * @param path names the file in errors
 * @param json what the file holds
 * @throws ConceptDataError naming file and line of the first record that is not JSON, or no object
 * @function
 */
export const jsonRecords = checked("jsonRecords", { path: text, json: text }, (path: string, json: string) => {
  const content = json.replace(/^\uFEFF/, "");
  const isArray = content[afterSpace(content, 0)] === "[";
  const records: DataRecord[] = [];
  for (const { where, piece } of isArray ? elementsOf(path, content) : objectsOf(path, content)) {
    if (records.length === MOST_RECORDS)
      throw new ConceptDataError(`${where}: the file holds more than ${MOST_RECORDS} records.`);
    records.push({ where, value: recordOf(where, piece, isArray) });
  }
  return records;
});

interface Piece {
  readonly where: string;
  readonly piece: string;
}

/** One object a line, or the one object that the file is. A file of settings, for example, is no bad JSON but other data. */
function objectsOf(path: string, content: string): Iterable<Piece> {
  const [first, second] = linesOf(path, content);
  const whole = first && second && !isJson(first.piece) && isJson(content);
  return whole ? [{ where: first.where, piece: content }] : linesOf(path, content);
}

function isJson(text: string): boolean {
  try {
    return parseJson(text) !== undefined;
  } catch {
    return false;
  }
}

function* linesOf(path: string, content: string): Generator<Piece> {
  for (let start = 0, line = 1; start < content.length; line++) {
    const next = content.indexOf("\n", start);
    const end = next < 0 ? content.length : next;
    const piece = content.slice(start, end);
    if (strip(piece) !== "") yield { where: `${path}, line ${line}`, piece };
    start = end + 1;
  }
}

/** The elements of an array, one by one, so that each can be named by its line. */
function* elementsOf(path: string, content: string): Generator<Piece> {
  let [line, counted] = [1, 0];
  const placeOf = (at: number) => {
    for (; counted < at; counted++) if (content[counted] === "\n") line++;
    return `${path}, line ${line}`;
  };
  let at = afterSpace(content, content.indexOf("[") + 1);
  for (let record = 1; content[at] !== "]" || record > 1; record++) {
    const where = `${placeOf(at)}, record ${record}`;
    const end = endOfRecord(content, at, where);
    yield { where, piece: content.slice(at, end) };
    at = afterSpace(content, end);
    if (content[at] === "]") break;
    if (content[at] !== ",") throw notJson(placeOf(at), `expected a comma or ] after record ${record}.`);
    at = afterSpace(content, at + 1);
  }
  const rest = afterSpace(content, at + 1);
  if (rest < content.length) throw notJson(placeOf(rest), "the array has ended before.");
}

function afterSpace(content: string, at: number): number {
  space.lastIndex = at;
  return at + space.exec(content)![0].length;
}

/** Where the object that begins at `start` ends, or the text, where it does not. */
function endOfRecord(content: string, start: number, where: string): number {
  if (start >= content.length) throw notJson(where, "the array does not end.");
  if (content[start] !== "{") throw noRecord(where, content.slice(start, start + 40));
  let depth = 0;
  for (let at = start; at < content.length; at++) {
    const character = content[at];
    if (character === '"') at = endOfString(content, at);
    else if (character === "{" || character === "[") depth++;
    else if (character === "}" || character === "]") depth--;
    if (depth === 0) return at + 1;
  }
  return content.length;
}

function endOfString(content: string, start: number): number {
  for (let at = start + 1; at < content.length; at++) {
    if (content[at] === "\\") at++;
    else if (content[at] === '"') return at;
  }
  return content.length;
}

function recordOf(where: string, piece: string, isArray: boolean): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = parseJson(piece);
  } catch (cause) {
    // The position is one in the piece, which would be read as one in the file.
    const message = (cause as Error).message.replace(/ in JSON at position .*$/s, "");
    const expected = isArray ? "" : " Expected a JSON array of records, or one record a line.";
    throw notJson(where, `${message}.${expected}`, cause);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw noRecord(where, piece);
  return value as Readonly<Record<string, unknown>>;
}

function notJson(where: string, what: string, cause?: unknown): ConceptDataError {
  return new ConceptDataError(`${where}: not JSON: ${what}`, { cause });
}

function noRecord(where: string, found: string): ConceptDataError {
  return new ConceptDataError(`${where}: expected a record, such as {"question": …}, and not ${quote(strip(found))}.`);
}
