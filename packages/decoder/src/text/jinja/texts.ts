import { fail, unsupported } from "./errors.ts";
import { format } from "./format.ts";
import { type Signature, signature } from "./signature.ts";
import { codePoints, iterate, numeric, Tuple, truth, typeName, type Value } from "./values.ts";
import { counted, spend, spendSearch, spendText } from "./work.ts";

/** White space by `str.isspace`. JavaScript's `\s` lacks U+001C–1F and U+0085, and has U+FEFF. */
export const white = "\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";
const whiteChar = new RegExp(`^[${white}]$`);

export function asText(value: Value | undefined): string {
  return typeof value === "string"
    ? value
    : fail(`a text is needed, not ${value === undefined ? "nothing" : typeName(value)}`);
}

/** An integer argument as a number. */
export function asIndex(value: Value | undefined, otherwise: number): number {
  if (value === undefined) return otherwise;
  const number = numeric(value);
  return typeof number === "bigint" ? Number(number) : fail(`an integer is needed, not ${typeName(value)}`);
}

/** `text.strip(chars)` at the sides that are asked for. */
export function strip(value: string, chars: Value | undefined, side: "both" | "left" | "right" = "both"): string {
  const all = codePoints(value);
  const set = chars == null ? undefined : new Set(codePoints(asText(chars)));
  const goes = (char: string) => (set ? set.has(char) : whiteChar.test(char));
  let [start, end] = [0, all.length];
  if (side !== "right") while (start < end && goes(all[start]!)) start++;
  if (side !== "left") while (end > start && goes(all[end - 1]!)) end--;
  return all.slice(start, end).join("");
}

/** `text.replace(old, next, count)` */
export function replace(value: string, old: string, next: string, count: number): string {
  spendSearch(value.length, old.length);
  // Between characters, not between the halves of one.
  const parts = old === "" ? ["", ...codePoints(value), ""] : value.split(old);
  const last = count < 0 ? parts.length - 1 : Math.min(count, parts.length - 1);
  spendText(value.length + last * next.length);
  return (
    parts.slice(0, last + 1).join(next) +
    parts
      .slice(last + 1)
      .map((part) => old + part)
      .join("")
  );
}

/** `text.title()` for one character. A few letters have a third form besides upper and lower case, which JavaScript does not know. */
function titled(char: string): string {
  const upper = char.toUpperCase();
  if (codePoints(upper).length > 1 || /[\u01c4-\u01cc\u01f1-\u01f3\u10d0-\u10ff\u1f80-\u1fff]/.test(char))
    return unsupported(`the title case of ${char}`);
  return upper;
}

export function capitalize(value: string): string {
  const [first, ...rest] = codePoints(value);
  // Lowered within the text: a sigma has a form for the end of a word.
  return first === undefined
    ? ""
    : titled(first) + (first + rest.join("")).toLowerCase().slice(first.toLowerCase().length);
}

const lineEnds = "\\n\\v\\f\\r\\x1c-\\x1e\\x85\\u2028\\u2029";
const lines = new RegExp(`[^${lineEnds}]*(?:\\r\\n|[${lineEnds}])|[^${lineEnds}]+`, "g");
const lineEnd = new RegExp(`(?:\\r\\n|[${lineEnds}])$`);

/** `text.splitlines()` */
export function splitLines(value: string, keepEnds = false): string[] {
  spendText(value.length);
  const found = value.match(lines) ?? [];
  spend(found.length);
  return keepEnds ? found : found.map((line) => line.replace(lineEnd, ""));
}

/** `text.split(separator, most)`, or `rsplit` from the end. */
function split(value: string, separator: Value | undefined, most: number, fromEnd: boolean): string[] {
  if (separator == null) return splitWords(value, most, fromEnd);
  const between = asText(separator);
  if (between === "") fail("empty separator");
  spendSearch(value.length, between.length);
  const parts = value.split(between);
  spend(parts.length);
  if (most < 0 || parts.length <= most + 1) return parts;
  return fromEnd
    ? [parts.slice(0, -most || undefined).join(between), ...(most ? parts.slice(-most) : [])]
    : [...parts.slice(0, most), parts.slice(most).join(between)];
}

function splitWords(value: string, most: number, fromEnd: boolean): string[] {
  spendText(value.length);
  const words = [...value.matchAll(new RegExp(`[^${white}]+`, "g"))];
  spend(words.length);
  if (most < 0 || words.length <= most) return words.map(([word]) => word);
  if (!fromEnd) {
    const rest = words[most]!;
    return [...words.slice(0, most).map(([word]) => word), strip(value.slice(rest.index), undefined, "left")];
  }
  const cut = words.length - most;
  const lastOfHead = words[cut - 1]!;
  const head = value.slice(0, lastOfHead.index + lastOfHead[0].length);
  return [strip(head, undefined, "right"), ...words.slice(cut).map(([word]) => word)];
}

/** Position in code points of a text in another, between two ends; −1 where it is not. */
function find(value: string, part: Value | undefined, from: Value | undefined, to: Value | undefined, last: boolean) {
  const [all, sought] = [codePoints(value), asText(part)];
  const [start, end] = bounds(all.length, from, to);
  if (start > end) return -1;
  const within = all.slice(start, end).join("");
  spendSearch(all.length, sought.length);
  const at = last ? within.lastIndexOf(sought) : within.indexOf(sought);
  return at < 0 ? -1 : start + codePoints(within.slice(0, at)).length;
}

function bounds(length: number, from: Value | undefined, to: Value | undefined): readonly [number, number] {
  const place = (value: Value | undefined, otherwise: number) => {
    const index = value === null ? otherwise : asIndex(value, otherwise);
    return index < 0 ? Math.max(0, index + length) : index;
  };
  return [place(from, 0), Math.min(length, place(to, length))];
}

function affix(value: string, part: Value | undefined, from: Value | undefined, to: Value | undefined, atEnd: boolean) {
  const all = codePoints(value);
  const [start, end] = bounds(all.length, from, to);
  const within = all.slice(start, end).join("");
  const one = (text: Value) => {
    if (start > end || start > all.length) return false;
    return atEnd ? within.endsWith(asText(text)) : within.startsWith(asText(text));
  };
  return part instanceof Tuple ? part.items.some(one) : one(part!);
}

/** Whether a text is not empty and every character passes. */
function every(value: string, test: RegExp): boolean {
  return value !== "" && codePoints(value).every((char) => test.test(char));
}

/** As {@link every}, for tests that JavaScript's tables hold for these characters alone. */
function everyKnown(what: string, value: string, test: RegExp, known: RegExp): boolean {
  if (!codePoints(value).every((char) => known.test(char))) unsupported(`${what} of ${JSON.stringify(value)}`);
  return every(value, test);
}

function cased(value: string, wanted: RegExp, other: RegExp): boolean {
  return wanted.test(value) && !other.test(value);
}

function pad(
  value: string,
  width: Value | undefined,
  fill: Value | undefined,
  left: (missing: number) => number,
): string {
  const missing = asIndex(width, 0) - codePoints(value).length;
  const char = fill === undefined ? " " : asText(fill);
  if (codePoints(char).length !== 1) fail("the fill character must be one character");
  if (missing <= 0) return value;
  spendText(value.length + missing);
  return char.repeat(left(missing)) + value + char.repeat(missing - left(missing));
}

/** `text.center(width)`. The odd space goes where CPython puts it. */
export function center(value: string, width: Value | undefined, fill?: Value): string {
  return pad(value, width, fill, (missing) => Math.floor(missing / 2) + (missing & asIndex(width, 0) & 1));
}

export function join(separator: string, parts: readonly string[]): string {
  spendText(parts.reduce((sum, part) => sum + part.length + separator.length, 0));
  return parts.join(separator);
}

function partition(value: string, separator: Value | undefined, fromEnd: boolean): Value {
  const between = asText(separator);
  if (between === "") return fail("empty separator");
  spendSearch(value.length, between.length);
  const at = fromEnd ? value.lastIndexOf(between) : value.indexOf(between);
  if (at < 0) return new Tuple(fromEnd ? ["", "", value] : [value, "", ""]);
  return new Tuple([value.slice(0, at), between, value.slice(at + between.length)]);
}

function found(position: number): bigint {
  return position < 0 ? fail("substring not found") : BigInt(position);
}

/** A method of a text. */
type Method = (value: string) => Signature;
const method =
  (parameters: string, body: (value: string, ...args: (Value | undefined)[]) => Value): Method =>
  (value) =>
    signature(parameters, (...args) => body(value, ...args));

/** The methods of `str`. */
export const textMethods: Readonly<Record<string, Method>> = {
  upper: method("", (value) => value.toUpperCase()),
  lower: method("", (value) => value.toLowerCase()),
  capitalize: method("", capitalize),
  title: method("", (value) =>
    value.replace(/[\p{Lu}\p{Ll}\p{Lt}]+/gu, (word) =>
      /[^\x20-\x7e]/.test(value) ? unsupported("title() beyond ASCII") : capitalize(word),
    ),
  ),
  strip: method("chars?", (value, chars) => strip(value, chars)),
  lstrip: method("chars?", (value, chars) => strip(value, chars, "left")),
  rstrip: method("chars?", (value, chars) => strip(value, chars, "right")),
  split: method("/ sep? maxsplit?", (value, separator, most) => split(value, separator, asIndex(most, -1), false)),
  rsplit: method("/ sep? maxsplit?", (value, separator, most) => split(value, separator, asIndex(most, -1), true)),
  splitlines: method("/ keepends?", (value, keep) => splitLines(value, keep !== undefined && truth(keep))),
  replace: method("old new count?", (value, old, next, count) =>
    replace(value, asText(old), asText(next), asIndex(count, -1)),
  ),
  startswith: method("prefix start? end?", (value, part, from, to) => affix(value, part, from, to, false)),
  endswith: method("suffix start? end?", (value, part, from, to) => affix(value, part, from, to, true)),
  find: method("sub start? end?", (value, part, from, to) => BigInt(find(value, part, from, to, false))),
  rfind: method("sub start? end?", (value, part, from, to) => BigInt(find(value, part, from, to, true))),
  index: method("sub start? end?", (value, part, from, to) => found(find(value, part, from, to, false))),
  rindex: method("sub start? end?", (value, part, from, to) => found(find(value, part, from, to, true))),
  count: method("sub", (value, part) => {
    if (part === "") return BigInt(codePoints(value).length + 1);
    spendSearch(value.length, asText(part).length);
    return BigInt(value.split(asText(part)).length - 1);
  }),
  join: method("iterable", (value, parts) => join(value, [...counted(iterate(parts!))].map(asText))),
  partition: method("sep", (value, separator) => partition(value, separator, false)),
  rpartition: method("sep", (value, separator) => partition(value, separator, true)),
  removeprefix: method("prefix", (value, part) =>
    value.startsWith(asText(part)) ? value.slice(asText(part).length) : value,
  ),
  removesuffix: method("suffix", (value, part) =>
    part !== "" && value.endsWith(asText(part)) ? value.slice(0, -asText(part).length) : value,
  ),
  zfill: method("width", (value, width) => {
    const sign = /^[-+]/.exec(value)?.[0] ?? "";
    return sign + pad(value.slice(sign.length), BigInt(asIndex(width, 0) - sign.length), "0", (missing) => missing);
  }),
  center: method("width fill?", center),
  ljust: method("width fill?", (value, width, fill) => pad(value, width, fill, () => 0)),
  rjust: method("width fill?", (value, width, fill) => pad(value, width, fill, (missing) => missing)),
  isspace: method("", (value) => every(value, whiteChar)),
  isalpha: method("", (value) => every(value, /^\p{L}$/u)),
  isdecimal: method("", (value) => every(value, /^\p{Nd}$/u)),
  isdigit: method("", (value) => everyKnown("isdigit", value, /^\p{Nd}$/u, /^\P{No}$/u)),
  isnumeric: method("", (value) => everyKnown("isnumeric", value, /^\p{N}$/u, /^\P{Lo}$/u)),
  isalnum: method("", (value) => every(value, /^[\p{L}\p{N}]$/u)),
  islower: method("", (value) => cased(value, /\p{Lowercase}/u, /[\p{Uppercase}\p{Lt}]/u)),
  isupper: method("", (value) => cased(value, /\p{Uppercase}/u, /[\p{Lowercase}\p{Lt}]/u)),
  format: (value) => (args) => format(value, args),
};
