import { fail, unsupported } from "./errors.ts";
import { percent } from "./format.ts";
import {
  compare,
  Dict,
  equal,
  iterable,
  numeric,
  Range,
  sizeOf,
  Tuple,
  text,
  typeName,
  Undefined,
  type Value,
} from "./values.ts";
import { counted, spend, spendSearch, spendText } from "./work.ts";

/** Python refuses to print integers with more digits. */
const largestInteger = 10n ** 4300n;

type Operator = (a: Value, b: Value) => Value;

/** Numbers as Python combines them: two integers by `ints`, otherwise floats by `floats`. */
function arithmetic(
  sign: string,
  ints: (a: bigint, b: bigint) => Value,
  floats: (a: number, b: number) => number,
): Operator {
  return (a, b) => {
    for (const one of [a, b]) if (one instanceof Undefined) fail(one.why);
    const [x, y] = [numeric(a), numeric(b)];
    if (x === undefined || y === undefined) return fail(`${typeName(a)} ${sign} ${typeName(b)} does not exist`);
    if (typeof x === "bigint" && typeof y === "bigint") return small(ints(x, y));
    return floats(asFloat(x), asFloat(y));
  };
}

function small(value: Value): Value {
  if (typeof value === "bigint" && (value >= largestInteger || value <= -largestInteger))
    fail("makes an integer of more than 4300 digits");
  return value;
}

function asFloat(value: bigint | number): number {
  const float = Number(value);
  return typeof value === "bigint" && !Number.isFinite(float) ? fail("an integer is too large for a float") : float;
}

function nonZero<T extends bigint | number>(divisor: T): T {
  // biome-ignore lint/suspicious/noDoubleEquals: 0n and 0
  return divisor == 0 ? fail("division by zero") : divisor;
}

function floorInts(a: bigint, b: bigint): bigint {
  const quotient = a / nonZero(b);
  return a % b !== 0n && a < 0n !== b < 0n ? quotient - 1n : quotient;
}

/** `divmod` of floats, as CPython has it. */
function divmod(a: number, b: number): readonly [number, number] {
  let mod = a % nonZero(b);
  let div = (a - mod) / b;
  if (mod === 0) mod = b < 0 ? -0 : 0;
  else if (b < 0 !== mod < 0) {
    mod += b;
    div -= 1;
  }
  if (div === 0) return [a / b < 0 || Object.is(a / b, -0) ? -0 : 0, mod];
  const floor = Math.floor(div);
  return [div - floor > 0.5 ? floor + 1 : floor, mod];
}

const plus = arithmetic(
  "+",
  (a, b) => a + b,
  (a, b) => a + b,
);
const times = arithmetic(
  "*",
  (a, b) => a * b,
  (a, b) => a * b,
);
const modulo = arithmetic(
  "%",
  (a, b) => a - floorInts(a, b) * b,
  (a, b) => divmod(a, b)[1],
);

/** The operators of two values, by their sign. */
export const binary: ReadonlyMap<string, Operator> = new Map<string, Operator>([
  ["+", add],
  [
    "-",
    arithmetic(
      "-",
      (a, b) => a - b,
      (a, b) => a - b,
    ),
  ],
  ["*", multiply],
  ["/", arithmetic("/", divide, (a, b) => a / nonZero(b))],
  ["//", arithmetic("//", floorInts, (a, b) => divmod(a, b)[0])],
  ["%", (a, b) => (typeof a === "string" ? percent(a, b) : modulo(a, b))],
  ["**", arithmetic("**", power, () => unsupported("a power of floats"))],
]);

function add(a: Value, b: Value): Value {
  if (typeof a === "string" && typeof b === "string") {
    spendText(a.length + b.length);
    return a + b;
  }
  const [x, y] = a instanceof Tuple && b instanceof Tuple ? [a.items, b.items] : [a, b];
  if (!Array.isArray(x) || !Array.isArray(y)) return plus(a, b);
  spend(x.length + y.length);
  const both = [...x, ...y];
  return a instanceof Tuple ? new Tuple(both) : both;
}

function multiply(a: Value, b: Value): Value {
  const repeats = (value: Value) => typeof value === "string" || Array.isArray(value) || value instanceof Tuple;
  const [sequence, number] = repeats(b) ? [b, a] : [a, b];
  const given = numeric(number);
  if (!repeats(sequence) || typeof given !== "bigint") return times(a, b);
  const count = given > 0n ? Number(given) : 0;
  if (typeof sequence === "string") {
    spendText(sequence.length * count);
    return sequence.repeat(count);
  }
  const items = (sequence instanceof Tuple ? sequence.items : sequence) as readonly Value[];
  spend(items.length * count);
  const all = Array.from({ length: items.length * count }, (_, i) => items[i % items.length]!);
  return sequence instanceof Tuple ? new Tuple(all) : all;
}

function divide(a: bigint, b: bigint): number {
  const exact = (value: bigint) => BigInt(Number(value)) === value;
  nonZero(b);
  return exact(a) && exact(b) ? Number(a) / Number(b) : unsupported("division of integers above 2⁵³");
}

function power(a: bigint, b: bigint): bigint {
  if (b < 0n) return unsupported("a negative exponent");
  if (b > 1n && BigInt(a.toString(2).length) * b > 20_000n) fail("makes an integer of more than 4300 digits");
  return a ** b;
}

/** `-value`, `+value` */
export function signed(sign: "+" | "-", value: Value): Value {
  if (value instanceof Undefined) return fail(value.why);
  const number = numeric(value) ?? fail(`${sign}${typeName(value)} does not exist`);
  return sign === "-" ? -number : number;
}

/** `a < b` and its kind, by their sign, and `in`. */
export const comparisons: ReadonlyMap<string, (a: Value, b: Value) => boolean> = new Map([
  ["==", equal],
  ["!=", (a, b) => !equal(a, b)],
  ["<", (a, b) => compare(a, b) < 0],
  ["<=", (a, b) => compare(a, b) <= 0],
  [">", (a, b) => compare(a, b) > 0],
  [">=", (a, b) => compare(a, b) >= 0],
  ["in", (a, b) => contains(b, a)],
  ["not in", (a, b) => !contains(b, a)],
]);

function contains(all: Value, one: Value): boolean {
  if (typeof all === "string") {
    if (typeof one !== "string") return fail(`${typeName(one)} in str does not exist`);
    spendSearch(all.length, one.length);
    return all.includes(one);
  }
  if (all instanceof Dict) return all.get(one) !== undefined;
  if (all instanceof Range && typeof one === "bigint" && all.length === 0n) return false;
  const items = iterable(all) ?? fail(`a value in ${typeName(all)} does not exist`);
  for (const item of counted(items)) if (equal(item, one)) return true;
  return false;
}

/** `a ~ b` */
export function concatenate(values: readonly Value[]): string {
  const parts = values.map(text);
  spendText(parts.reduce((sum, part) => sum + part.length, 0));
  return parts.join("");
}

/** `len(value)` */
export function length(value: Value): bigint {
  return sizeOf(value) ?? fail(`${typeName(value)} has no length`);
}
