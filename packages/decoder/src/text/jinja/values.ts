import { fail, unsupported } from "./errors.ts";
import { spend } from "./work.ts";

/**
 * A value as Python has it. `int` is a bigint and `float` a number, so 1.0 stays 1.0; `list` is an array. Nothing is changed in place: the
 * sandbox of `transformers` allows it for a {@link Namespace} only.
 */
export type Value =
  | null
  | boolean
  | bigint
  | number
  | string
  | readonly Value[]
  | Tuple
  | Dict
  | Range
  | View
  | Lazy
  | Undefined
  | Markup
  | Namespace
  | Callable
  | Loop;

/** The arguments of a call. */
export interface Args {
  readonly positional: readonly Value[];
  readonly named: ReadonlyMap<string, Value>;
}

export class Tuple {
  constructor(readonly items: readonly Value[]) {}
}

/** A `dict`. Keys that Python holds equal, such as 1, 1.0 and True, are one key. */
export class Dict {
  readonly #entries = new Map<string, readonly [Value, Value]>();

  constructor(entries: Iterable<readonly [Value, Value]>) {
    for (const [key, value] of entries) {
      const id = keyOf(key);
      this.#entries.set(id, [or(this.#entries.get(id)?.[0], key), value]);
    }
  }

  get(key: Value): Value | undefined {
    return this.#entries.get(keyOf(key))?.[1];
  }

  get size(): number {
    return this.#entries.size;
  }

  entries(): (readonly [Value, Value])[] {
    return [...this.#entries.values()];
  }

  keys(): Value[] {
    return this.entries().map(([key]) => key);
  }
}

export class Range {
  constructor(
    readonly start: bigint,
    readonly stop: bigint,
    readonly step: bigint,
  ) {
    if (step === 0n) fail("range() arg 3 must not be zero");
  }

  get length(): bigint {
    const { start, stop, step } = this;
    const span = step > 0n ? stop - start + step - 1n : start - stop - step - 1n;
    return span < 0n ? 0n : span / (step > 0n ? step : -step);
  }

  at(index: bigint): bigint {
    return this.start + index * this.step;
  }
}

/** What `keys()`, `values()` and `items()` of a dict give. */
export class View {
  constructor(
    readonly kind: "keys" | "values" | "items",
    readonly items: readonly Value[],
  ) {}
}

/** A generator: it can be read once, and has no length. */
export class Lazy {
  constructor(readonly iterator: IterableIterator<Value>) {}
}

/** What stands for a missing value: it prints as "", is false and empty; anything else done with it is an error. */
export class Undefined {
  constructor(readonly why: string) {}
}

/** Text from `safe`. Python escapes what is added to it; here only its use as plain text is supported. */
export class Markup {
  constructor(readonly text: string) {}
}

export class Namespace {
  constructor(readonly fields: Map<string, Value>) {}

  set(name: string, value: Value): void {
    if (name.startsWith("_")) fail(`a namespace cannot hold the name ${name}, which begins with "_"`);
    this.fields.set(name, value);
  }
}

/** A function, macro or method. */
export class Callable {
  constructor(
    readonly name: string,
    readonly call: (args: Args) => Value,
  ) {}
}

/** The variable `loop`. Items are read one ahead where the template asks for what follows. */
export class Loop {
  index0 = -1n;
  #before: Value | undefined;
  #current: Value | undefined;
  readonly #ahead: Value[] = [];
  #changed: Tuple | undefined;
  readonly #iterator: Iterator<Value>;

  constructor(
    items: Iterable<Value>,
    readonly depth0: bigint,
  ) {
    this.#iterator = items[Symbol.iterator]();
  }

  /** The next item, or `undefined` at the end. */
  next(): Value | undefined {
    const item = this.#peek();
    this.#ahead.shift();
    if (item === undefined) return undefined;
    this.index0++;
    this.#before = this.#current;
    this.#current = item;
    return item;
  }

  #peek(): Value | undefined {
    if (this.#ahead.length === 0) {
      const { value, done } = this.#iterator.next();
      if (done) return undefined;
      this.#ahead.push(value);
    }
    return this.#ahead[0];
  }

  get length(): bigint {
    for (;;) {
      const { value, done } = this.#iterator.next();
      if (done) return this.index0 + 1n + BigInt(this.#ahead.length);
      this.#ahead.push(value);
    }
  }

  attribute(name: string): Value | undefined {
    switch (name) {
      case "index0":
        return this.index0;
      case "index":
        return this.index0 + 1n;
      case "first":
        return this.index0 === 0n;
      case "last":
        return this.#peek() === undefined;
      case "length":
        return this.length;
      case "revindex":
        return this.length - this.index0;
      case "revindex0":
        return this.length - this.index0 - 1n;
      case "depth":
        return this.depth0 + 1n;
      case "depth0":
        return this.depth0;
      case "previtem":
        return or(this.#before, new Undefined("there is no previous item"));
      case "nextitem":
        return or(this.#peek(), new Undefined("there is no next item"));
      case "cycle":
        return new Callable("cycle", ({ positional }) =>
          positional.length === 0
            ? fail("no items for cycling given")
            : positional[Number(this.index0 % BigInt(positional.length))]!,
        );
      case "changed":
        return new Callable("changed", ({ positional }) => {
          const now = new Tuple(positional);
          const changed = !this.#changed || !equal(this.#changed, now);
          this.#changed = now;
          return changed;
        });
      default:
        return undefined;
    }
  }
}

/** A value, or another where there is none; `??` would take None for none. */
export function or(value: Value | undefined, otherwise: Value): Value {
  return value === undefined ? otherwise : value;
}

/** A value of JavaScript, such as JSON gives. A number without a fraction is an `int`; a field that is undefined is left out. */
export function fromJs(value: unknown): Value {
  switch (typeof value) {
    case "string":
    case "boolean":
    case "bigint":
      return value;
    case "number":
      if (!Number.isInteger(value) || Object.is(value, -0)) return value;
      return Number.isSafeInteger(value)
        ? BigInt(value)
        : fail(`the number ${value} was given, which may stand for several integers; give a bigint`);
    case "undefined":
      return null;
    case "object":
      if (value === null) return null;
      if (Array.isArray(value)) return value.map(fromJs);
      if (Object.prototype.toString.call(value) !== "[object Object]")
        return fail(`a ${value.constructor?.name} was given as a variable; expected what JSON can hold`);
      return new Dict(
        Object.entries(value).flatMap(([key, one]) => (one === undefined ? [] : [[key, fromJs(one)] as const])),
      );
    default:
      return fail(`a ${typeof value} was given as a variable; expected what JSON can hold`);
  }
}

/** The name of a value's type in Python. */
export function typeName(value: Value): string {
  if (value === null) return "NoneType";
  if (Array.isArray(value)) return "list";
  if (value instanceof Dict) return "dict";
  if (value instanceof View) return `dict_${value.kind}`;
  if (value instanceof Lazy) return "generator";
  if (typeof value === "object") return value.constructor.name.toLowerCase();
  return { boolean: "bool", bigint: "int", number: "float", string: "str" }[typeof value as string]!;
}

/** `bool(value)` */
export function truth(value: Value): boolean {
  if (value === null || value instanceof Undefined) return false;
  if (typeof value !== "object") return Boolean(value);
  const size = sizeOf(value);
  return size === undefined || size > 0n;
}

/** `len(value)` */
export function sizeOf(value: Value): bigint | undefined {
  if (typeof value === "string") return BigInt(codePoints(value).length);
  if (value instanceof Markup) return sizeOf(value.text);
  if (value instanceof Range || value instanceof Loop) return value.length;
  if (value instanceof Undefined) return 0n;
  return countable(value) ? BigInt(itemsOf(value).length) : undefined;
}

/** Whether a value has a length and items, text aside. */
function countable(value: Value): value is readonly Value[] | Tuple | Dict | View {
  return Array.isArray(value) || value instanceof Tuple || value instanceof Dict || value instanceof View;
}

function itemsOf(value: readonly Value[] | Tuple | Dict | View): readonly Value[] {
  if (value instanceof Tuple || value instanceof View) return value.items;
  return value instanceof Dict ? value.keys() : (value as readonly Value[]);
}

/** `iter(value)`; `undefined` where Python has a TypeError. */
export function iterable(value: Value): Iterable<Value> | undefined {
  if (typeof value === "string") return codePoints(value);
  if (value instanceof Markup) return unsupported("a loop over text from safe");
  if (value instanceof Undefined) return [];
  if (value instanceof Lazy) return value.iterator;
  if (value instanceof Range) return rangeItems(value);
  return countable(value) ? itemsOf(value) : undefined;
}

function* rangeItems(range: Range): IterableIterator<Value> {
  for (let i = 0n; i < range.length; i++) yield range.at(i);
}

export function iterate(value: Value): Iterable<Value> {
  return iterable(value) ?? fail(`${typeName(value)} cannot be looped over`);
}

/** The characters of a text, as Python counts them. */
export function codePoints(text: string): readonly string[] {
  return /[\ud800-\udfff]/.test(text) ? Array.from(text) : text.split("");
}

/** `float.__repr__` */
function floatText(value: number): string {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  if (Object.is(value, -0)) return "-0.0";
  const [digits, exponent] = value.toExponential().split("e") as [string, string];
  const power = Number(exponent);
  if (power < -4 || power >= 16) return `${digits}e${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`;
  // The shortest digits, without JavaScript's exponents from 1e-7 down.
  const plain = power < 0 ? value.toFixed(Math.max(0, digits.replace(/[-.]/g, "").length - 1 - power)) : String(value);
  return plain.includes(".") ? plain : `${plain}.0`;
}

/** `str(value)` */
export function text(value: Value): string {
  if (typeof value === "string") return value;
  if (value instanceof Markup) return value.text;
  if (value instanceof Undefined) return "";
  return repr(value);
}

/** `repr(value)` */
export function repr(value: Value): string {
  spend(1);
  if (value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value === "bigint") return String(value);
  if (typeof value === "number") return floatText(value);
  if (typeof value === "string") return quoted(value);
  if (value instanceof Undefined) return "Undefined";
  if (value instanceof Tuple) return `(${value.items.map(repr).join(", ")}${value.items.length === 1 ? "," : ""})`;
  if (value instanceof View) return `dict_${value.kind}([${value.items.map(repr).join(", ")}])`;
  if (value instanceof Dict) return pairs(value.entries());
  if (value instanceof Range)
    return `range(${value.start}, ${value.stop}${value.step === 1n ? "" : `, ${value.step}`})`;
  if (value instanceof Namespace) return `<Namespace ${pairs([...value.fields])}>`;
  if (value instanceof Loop) return `<LoopContext ${value.index0 + 1n}/${value.length}>`;
  if (Array.isArray(value)) return `[${value.map(repr).join(", ")}]`;
  return unsupported(`printing a ${typeName(value)}, whose text holds an address in Python,`);
}

function pairs(entries: readonly (readonly [Value, Value])[]): string {
  return `{${entries.map(([key, value]) => `${repr(key)}: ${repr(value)}`).join(", ")}}`;
}

function quoted(value: string): string {
  const quote = value.includes("'") && !value.includes('"') ? '"' : "'";
  const short: Readonly<Record<string, string>> = {
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\\": "\\\\",
    [quote]: `\\${quote}`,
  };
  // Python escapes what is not printable: the categories "other" and "separator", except the space.
  const body = value.replace(/[\\'"]|(?! )[\p{C}\p{Z}]/gu, (char) => {
    if (short[char]) return short[char];
    if (char === "'" || char === '"') return char;
    const hex = char.codePointAt(0)!.toString(16);
    if (hex.length <= 2) return `\\x${hex.padStart(2, "0")}`;
    return hex.length <= 4 ? `\\u${hex.padStart(4, "0")}` : `\\U${hex.padStart(8, "0")}`;
  });
  return quote + body + quote;
}

/** A number or truth value as a JavaScript number or bigint. */
export function numeric(value: Value): bigint | number | undefined {
  if (typeof value === "boolean") return value ? 1n : 0n;
  return typeof value === "bigint" || typeof value === "number" ? value : undefined;
}

/** `a == b` */
export function equal(a: Value, b: Value): boolean {
  spend(1);
  const [x, y] = [numeric(a), numeric(b)];
  // biome-ignore lint/suspicious/noDoubleEquals: compares a bigint with a number by value
  if (x !== undefined && y !== undefined) return x == y;
  if (a instanceof Markup) return equal(a.text, b);
  if (b instanceof Markup) return equal(a, b.text);
  if (Array.isArray(a) && Array.isArray(b)) return sameItems(a, b);
  if (a instanceof Tuple && b instanceof Tuple) return sameItems(a.items, b.items);
  if (a instanceof Undefined) return b instanceof Undefined;
  if (a instanceof Dict && b instanceof Dict)
    return (
      a.size === b.size &&
      a.entries().every(([key, value]) => {
        const other = b.get(key);
        return other !== undefined && equal(value, other);
      })
    );
  if (a instanceof Range && b instanceof Range) return sameItems([...iterate(a)], [...iterate(b)]);
  if (a instanceof View && b instanceof View)
    return a === b || unsupported("comparing keys, values or items of a dict");
  return a === b;
}

function sameItems(a: readonly Value[], b: readonly Value[]): boolean {
  return a.length === b.length && a.every((item, i) => equal(item, b[i]!));
}

/** Below 0 where a < b, above 0 where a > b, NaN where neither is less, greater or equal. */
export function compare(a: Value, b: Value): number {
  spend(1);
  for (const one of [a, b]) if (one instanceof Undefined) fail(one.why);
  const [x, y] = [numeric(a), numeric(b)];
  if (x !== undefined && y !== undefined) {
    if (x < y) return -1;
    if (x > y) return 1;
    // biome-ignore lint/suspicious/noDoubleEquals: compares a bigint with a number by value
    return x == y ? 0 : Number.NaN;
  }
  if (typeof a === "string" && typeof b === "string") return compareText(a, b);
  const [left, right] = a instanceof Tuple && b instanceof Tuple ? [a.items, b.items] : [a, b];
  if (Array.isArray(left) && Array.isArray(right)) {
    const at = left.findIndex((item, i) => i >= right.length || !equal(item, right[i]));
    if (at < 0) return left.length - right.length;
    return at >= right.length ? 1 : compare(left[at], right[at]);
  }
  return fail(`${typeName(a)} and ${typeName(b)} have no order`);
}

/** By code points, where JavaScript compares UTF-16 units. */
function compareText(a: string, b: string): number {
  const [x, y] = [codePoints(a), codePoints(b)];
  const at = x.findIndex((char, i) => char !== y[i]);
  if (at < 0) return x.length - y.length;
  return at >= y.length ? 1 : x[at]!.codePointAt(0)! - y[at]!.codePointAt(0)!;
}

/** The identity of a dict's key. */
export function keyOf(value: Value): string {
  spend(1);
  if (value === null || value instanceof Undefined) return typeName(value);
  const number = numeric(value);
  if (number !== undefined)
    return `n${typeof number === "number" && Number.isInteger(number) ? BigInt(number) : number}`;
  if (typeof value === "string") return `s${value}`;
  if (value instanceof Markup) return keyOf(value.text);
  if (value instanceof Tuple) return `t${JSON.stringify(value.items.map(keyOf))}`;
  if (Array.isArray(value) || value instanceof Dict) return fail(`unhashable type: ${typeName(value)}`);
  return unsupported(`a ${typeName(value)} as a key`);
}
