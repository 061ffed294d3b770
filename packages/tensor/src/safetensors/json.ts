import { quote, SafetensorsError } from "./error.ts";

/** A header nests three levels deep; a file of brackets must not be turned into a hundred million arrays. */
const MAX_DEPTH = 64;

export type JsonObject = Readonly<Record<string, unknown>>;

/**
 * Parses UTF-8 JSON whose top level is an object, and refuses what `JSON.parse` would quietly repair: a name given twice
 * in one object (it keeps the last), bytes that are not UTF-8, a byte order mark, and half of a surrogate pair.
 *
 * @throws SafetensorsError of kind `not-utf8`, `not-json`, `not-object` or `duplicate-name`.
 */
export function parseJsonObject(bytes: Uint8Array, file: string, what: string): JsonObject {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new SafetensorsError("not-utf8", { file, problem: `${what} is not UTF-8`, expected: "JSON in UTF-8", cause });
  }
  // The format says that the first byte is '{'. This also tells a pickle or an HTML error page by its beginning.
  if (!text.startsWith("{")) {
    const problem = `${what} begins with ${quote(text.slice(0, 20))}`;
    throw new SafetensorsError("not-object", { file, problem, expected: "a JSON object, with '{' as its first byte" });
  }
  const names = scanNames(text);
  if (names.tooDeep) {
    const problem = `${what} nests more than ${MAX_DEPTH} levels deep`;
    throw new SafetensorsError("not-json", {
      file,
      problem,
      expected: "an object of tensor entries, three levels deep",
    });
  }
  let value: JsonObject;
  try {
    value = JSON.parse(text) as JsonObject;
  } catch (cause) {
    const problem = `${what} is not JSON (${(cause as Error).message.slice(0, 200)})`;
    throw new SafetensorsError("not-json", { file, problem, expected: "one JSON object", cause });
  }
  if (names.twice !== undefined) {
    const problem = `${what} gives the name ${quote(names.twice)} twice in one object`;
    throw new SafetensorsError("duplicate-name", { file, tensor: names.twice, problem, expected: "every name once" });
  }
  if (names.loneSurrogate !== undefined) {
    const problem = `${what} escapes half of a surrogate pair in the name ${quote(names.loneSurrogate)}`;
    throw new SafetensorsError("not-utf8", { file, problem, expected: "names that can be written as UTF-8" });
  }
  return value;
}

interface NameScan {
  tooDeep?: true;
  /** A name that stands twice in one object, after its escapes are decoded. */
  twice?: string;
  loneSurrogate?: string;
}

/**
 * Walks the text once, keeping the names seen in each open object. It relies on `JSON.parse` for the grammar and only has
 * to be right about texts that are JSON: there, a string followed by a colon is a name in the innermost open object.
 */
function scanNames(text: string): NameScan {
  const found: NameScan = {};
  const open: Set<string>[] = [];
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === "{" || character === "[") {
      if (open.push(new Set()) > MAX_DEPTH) return { tooDeep: true };
    } else if (character === "}" || character === "]") {
      open.pop();
    } else if (character === '"') {
      const end = stringEnd(text, at);
      if (colonFollows(text, end)) {
        const name = decodeString(text.slice(at, end + 1));
        const names = open.at(-1);
        if (names?.has(name)) found.twice ??= name;
        if (/\p{Surrogate}/u.test(name)) found.loneSurrogate ??= name;
        names?.add(name);
      }
      at = end;
    }
  }
  return found;
}

/** Index of the quote that closes the string opened at `start`; the text's end where none does. */
function stringEnd(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === "\\") at++;
    else if (text[at] === '"') return at;
  }
  return text.length;
}

function colonFollows(text: string, end: number): boolean {
  let at = end + 1;
  while (text[at] === " " || text[at] === "\t" || text[at] === "\n" || text[at] === "\r") at++;
  return text[at] === ":";
}

/** Escapes decoded, so that "a" and "\u0061" are one name; a string with a bad escape is left to `JSON.parse` to refuse. */
function decodeString(literal: string): string {
  if (!literal.includes("\\")) return literal.slice(1, -1);
  try {
    return JSON.parse(literal) as string;
  } catch {
    return literal;
  }
}
