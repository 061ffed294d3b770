import { fail } from "./errors.ts";
import { white } from "./texts.ts";

/** A piece of a template. Operators are their own type. */
export interface Token {
  readonly type: "data" | "name" | "string" | "integer" | "float" | "operator" | "open" | "close" | "end";
  /** Text of data and strings, without escapes; otherwise as it is written. */
  readonly value: string;
  readonly line: number;
}

const space = `[${white}]`;
const sticky = (pattern: string, flags = "") => new RegExp(pattern, `${flags}sy`);

const tagStart = new RegExp(String.raw`\{%([-+]?)${space}*raw${space}*(?:-%\}${space}*|%\})|\{[{%#]([-+]?)`, "gs");
const blockEnd = String.raw`(?:\+%\}|-%\}${space}*|%\}\n?)`;
const ends: Readonly<Record<string, RegExp>> = {
  "{%": sticky(blockEnd),
  "{{": sticky(String.raw`-\}\}${space}*|\}\}`),
};
const commentEnd = new RegExp(String.raw`\+#\}|-#\}${space}*|#\}\n?`, "gs");
const rawEnd = new RegExp(String.raw`\{%([-+]?)${space}*endraw${space}*${blockEnd}`, "gs");
const spaces = sticky(`${space}+`);
const trailing = new RegExp(`${space}+$`);
const blank = new RegExp(`^${space}+$`);
const tokens: readonly (readonly [Token["type"], RegExp])[] = [
  ["float", sticky(String.raw`(?<!\.)(?:\d+_)*\d+(?:(?:\.(?:\d+_)*\d+)?e[+-]?(?:\d+_)*\d+|\.(?:\d+_)*\d+)`, "i")],
  ["integer", sticky("0b(?:_?[01])+|0o(?:_?[0-7])+|0x(?:_?[\\da-f])+|[1-9](?:_?\\d)*|0(?:_?0)*", "i")],
  ["name", sticky("[A-Za-z_][A-Za-z0-9_]*")],
  ["string", sticky(String.raw`'[^'\\]*(?:\\.[^'\\]*)*'|"[^"\\]*(?:\\.[^"\\]*)*"`)],
  ["operator", sticky(String.raw`\/\/|\*\*|==|!=|>=|<=|[-+/*%~[\](){}><=.:|,;]`)],
];
const closing: Readonly<Record<string, string>> = { "{": "}", "(": ")", "[": "]" };

/** The tokens of a template, by the rules of Jinja's lexer with `trim_blocks` and `lstrip_blocks`. */
export function tokenize(template: string): Token[] {
  const source = template.replace(/\r\n?/g, "\n").replace(/\n$/, "");
  const found: Token[] = [];
  let at = 0;
  let line = 1;
  let lineStarts = true;
  const advance = (to: number) => {
    for (const char of source.slice(at, to)) if (char === "\n") line++;
    if (to > at) lineStarts = source[to - 1] === "\n";
    at = to;
  };
  const add = (type: Token["type"], value: string) => found.push({ type, value, line });
  const search = (pattern: RegExp) => {
    pattern.lastIndex = at;
    return pattern.exec(source);
  };
  const addText = (value: string) => {
    if (value !== "") add("data", value);
  };
  /** Text before a tag: "-" removes the white space before the tag, a block without "+" the indentation of its line. */
  const before = (value: string, sign: string, isBlock: boolean) => {
    if (sign === "-") return value.replace(trailing, "");
    const start = value.lastIndexOf("\n") + 1;
    const indented = sign === "" && isBlock && (start > 0 || lineStarts) && blank.test(value.slice(start));
    return indented ? value.slice(0, start) : value;
  };

  while (at < source.length) {
    const start = search(tagStart);
    if (!start) {
      addText(source.slice(at));
      break;
    }
    const tag = start[0].slice(0, 2);
    addText(before(source.slice(at, start.index), start[1] ?? start[2]!, tag !== "{{"));
    advance(start.index + start[0].length);
    if (start[1] !== undefined) {
      const end = search(rawEnd) ?? fail(`line ${line}: {% raw %} has no end`);
      addText(before(source.slice(at, end.index), end[1]!, true));
      advance(end.index + end[0].length);
    } else if (tag === "{#") {
      const end = search(commentEnd) ?? fail(`line ${line}: a comment has no end`);
      advance(end.index + end[0].length);
    } else inside(tag);
  }
  add("end", "");
  return found;

  /** The tokens of one tag. */
  function inside(tag: string): void {
    const open: string[] = [];
    add("open", tag);
    while (at < source.length) {
      const end = open.length === 0 ? search(ends[tag]!) : null;
      if (end) {
        add("close", tag);
        advance(at + end[0].length);
        return;
      }
      const gap = search(spaces);
      if (gap) {
        advance(at + gap[0].length);
        continue;
      }
      let match: RegExpExecArray | null = null;
      const [type] = tokens.find(([, pattern]) => (match = search(pattern))) ?? fail(unexpected(source[at]!));
      const value = match![0];
      if (type === "operator") {
        if (closing[value]) open.push(closing[value]);
        else if (/[)\]}]/.test(value) && open.pop() !== value) fail(unexpected(value));
      }
      add(type, type === "string" ? unescaped(value.slice(1, -1)) : value);
      advance(at + value.length);
    }
    fail(`line ${line}: the template ends within ${tag}`);
  }

  function unexpected(what: string): string {
    return `line ${line}: unexpected ${JSON.stringify(what)}`;
  }

  /** The escapes of Python's texts. Unknown ones stay as they are. */
  function unescaped(value: string): string {
    return value.replace(
      /\\(?:x([\da-fA-F]{2})|u([\da-fA-F]{4})|U([\da-fA-F]{8})|([0-7]{1,3})|([xuUN])|([\s\S]))/g,
      (whole, x, u, long, octal, broken, letter) => {
        if (letter !== undefined) return escapes[letter] ?? whole;
        const code = octal === undefined ? Number.parseInt(x ?? u ?? long, 16) : Number.parseInt(octal, 8);
        // Halves of a character would join here, and stay apart in Python.
        if (broken !== undefined || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) fail(unexpected(whole));
        return String.fromCodePoint(code);
      },
    );
  }
}

const escapes: Readonly<Record<string, string>> = {
  "\n": "",
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  "\\": "\\",
  "'": "'",
  '"': '"',
};
