import { integerBelow, type Random } from "@lethe/tensor";

/** Names that every object has in its prototype, and some that files use. */
const names = [
  "__proto__",
  "constructor",
  "toString",
  "hasOwnProperty",
  "length",
  "__float__",
  "0",
  "",
  "then",
  "toJSON",
];

/** Values that a field may not expect, in JSON; some are no JSON, but Python reads or writes them. */
const junk = [
  ...["null", "true", "false", "0", "-1", "0.5", "1e308", "1e999", "-0", "2147483648", "9007199254740993", "1e5"],
  ...["NaN", "Infinity", "-Infinity", "[]", "{}", "[[]]", "[null]", "[-1]", "[0,0,0]", '""', '"\\u0000"', '"\\ud800"'],
  ...names.map((name) => JSON.stringify(name)),
  ...names.map((name) => `{${JSON.stringify(name)}:1}`),
  ...["../../etc/passwd", "/dev/zero", "$&", "(a+)+$", "{{ x.y }}", "{% for i in range(1000000000) %}"].map((text) =>
    JSON.stringify(text),
  ),
  JSON.stringify("x".repeat(100_000)),
  `[${"0,".repeat(50_000)}0]`,
  `${"[".repeat(90)}${"]".repeat(90)}`,
  `${"[".repeat(20_000)}${"]".repeat(20_000)}`,
  `${'{"a":'.repeat(20_000)}1${"}".repeat(20_000)}`,
];

/** Bytes that no JSON file holds in such a place. */
const splinters = ["", "\ufeff", "\0", '"', "\\", "{", "]", ",", ":", "NaN", "\u2028", "/*", "1e", "\n\n", "}{"];

/** A damaged file: the original is text, most often JSON. The same random numbers give the same damage. */
export function mutate(text: string, random: Random): Uint8Array {
  const below = (bound: number) => integerBelow(bound, random);
  const oneOf = <T>(values: readonly T[]) => values[below(values.length)]!;
  const bytes = (result: string) => new TextEncoder().encode(result);
  const kind = below(12);
  if (kind === 0)
    return bytes(oneOf(["", " ", "null", "[]", "{}", '"x"', "<html>", "\ufeff", `\ufeff${text}`, oneOf(junk)]));
  if (kind === 1) return bytes(text.slice(0, below(text.length + 1)));
  if (kind === 2) {
    const damaged = bytes(text);
    if (damaged.length > 0) damaged[below(damaged.length)] = below(256);
    return damaged;
  }
  if (kind === 3) {
    const at = below(text.length + 1);
    return bytes(text.slice(0, at) + oneOf(splinters) + text.slice(at + below(3)));
  }
  // A file may be one value, or one a line. A template is neither.
  const lines = isJson(text) ? [text] : text.split("\n");
  const at = below(lines.length);
  if (!isJson(lines[at]!)) return bytes(text.slice(0, below(text.length + 1)) + oneOf(junk));
  const value: unknown = JSON.parse(lines[at]!);
  const holes: string[] = [];
  for (let i = 0; i <= below(2); i++) damage(value, { below, oneOf, holes });
  // A hole is a string that stands for raw JSON.
  const damaged = JSON.stringify(value).replace(/"hole:(\d+)"/g, (_, index) => holes[index]!);
  return bytes(lines.with(at, damaged).join("\n"));
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

interface Tools {
  below(bound: number): number;
  oneOf<T>(values: readonly T[]): T;
  readonly holes: string[];
}

/** Changes one place of a value: some field at some depth is replaced, renamed, deleted, doubled or added. */
function damage(root: unknown, { below, oneOf, holes }: Tools): void {
  let at = root as Record<string, unknown>;
  for (;;) {
    const fields = Object.keys(at);
    if (fields.length === 0) return;
    const field = oneOf(fields);
    const value = at[field];
    // Shallow places are few and matter most.
    if (typeof value === "object" && value !== null && below(3) > 0) {
      at = value as Record<string, unknown>;
      continue;
    }
    const put = (name: string, content: unknown) =>
      Object.defineProperty(at, name, { value: content, enumerable: true, configurable: true, writable: true });
    const hole = (json: string) => `hole:${holes.push(json) - 1}`;
    const change = below(8);
    if (change === 0) delete at[field];
    else if (change === 1 && !Array.isArray(at)) put(oneOf(names), value);
    else if (change === 2) put(field, at[oneOf(fields)]);
    else if (change === 3) put(field, hole(`${JSON.stringify(value) ?? null},${JSON.stringify(field)}:${oneOf(junk)}`));
    else if (change === 4 && typeof value === "number") put(field, value * oneOf([-1, 2, 1e9, 0.5]));
    else put(field, hole(oneOf(junk)));
    return;
  }
}
