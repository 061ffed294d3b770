import { fail } from "./errors.ts";
import { compare, Dict, Markup, numeric, repr, Tuple, typeName, type Value } from "./values.ts";
import { spend, spendText } from "./work.ts";

/** How `json.dumps` writes. */
export interface JsonStyle {
  readonly ascii: boolean;
  /** One level of indentation; `null` writes one line. */
  readonly indent: string | null;
  readonly between: string;
  readonly colon: string;
  readonly sorted: boolean;
}

/** `json.dumps(value)` */
export function dumps(value: Value, style: JsonStyle, level = 0): string {
  spend(1);
  if (value === null) return "null";
  if (typeof value === "boolean") return String(value);
  if (typeof value === "number") return float(value);
  if (typeof value === "bigint") return String(value);
  if (typeof value === "string") return quoted(value, style);
  if (value instanceof Markup) return quoted(value.text, style);
  const inner = level + 1;
  if (Array.isArray(value) || value instanceof Tuple) {
    const items = Array.isArray(value) ? value : (value as Tuple).items;
    return block(
      "[]",
      items.map((item) => dumps(item, style, inner)),
      style,
      inner,
    );
  }
  if (!(value instanceof Dict)) return fail(`a ${typeName(value)} cannot be written as JSON`);
  const entries = style.sorted ? value.entries().sort(([a], [b]) => compare(a, b)) : value.entries();
  const fields = entries.map(([key, one]) => quoted(keyText(key), style) + style.colon + dumps(one, style, inner));
  return block("{}", fields, style, inner);
}

function block(brackets: string, parts: readonly string[], { indent, between }: JsonStyle, level: number): string {
  const [open, close] = brackets as unknown as [string, string];
  if (parts.length === 0) return brackets;
  const line = (depth: number) => (indent === null ? "" : `\n${indent.repeat(depth)}`);
  spendText(parts.reduce((sum, part) => sum + part.length + between.length + line(level).length, 0));
  return open + line(level) + parts.join(between + line(level)) + line(level - 1) + close;
}

function float(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  return Number.isFinite(value) ? repr(value) : value > 0 ? "Infinity" : "-Infinity";
}

function keyText(key: Value): string {
  if (typeof key === "string") return key;
  if (key === null) return "null";
  if (typeof key === "boolean") return String(key);
  const number = numeric(key) ?? fail(`a ${typeName(key)} cannot be a key in JSON`);
  return typeof number === "bigint" ? String(number) : float(number);
}

const short: Readonly<Record<string, string>> = {
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\b": "\\b",
  "\f": "\\f",
  '"': '\\"',
  "\\": "\\\\",
};

function quoted(value: string, { ascii }: JsonStyle): string {
  spendText(value.length);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: JSON escapes them
  const pattern = ascii ? /["\\]|[^ -~]/g : /["\\\x00-\x1f]/g;
  return `"${value.replace(pattern, (char) => short[char] ?? `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`)}"`;
}
