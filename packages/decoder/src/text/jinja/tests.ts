import { fail } from "./errors.ts";
import { binary, comparisons } from "./operators.ts";
import { type Signature, signature } from "./signature.ts";
import { textMethods } from "./texts.ts";
import {
  Callable,
  Dict,
  iterable,
  Lazy,
  Loop,
  Markup,
  numeric,
  Range,
  Tuple,
  text,
  Undefined,
  type Value,
} from "./values.ts";

const one = (test: (value: Value) => Value) => signature("value", (value) => test(value!));
const two = (test: (a: Value, b: Value) => Value) => signature("value other", (a, b) => test(a!, b!));
const comparison = (sign: string) => two(comparisons.get(sign)!);
const remainder = (value: Value, divisor: Value) => binary.get("%")!(value, divisor);
const leaves = (value: Value, divisor: bigint, rest: bigint) => comparisons.get("==")!(remainder(value, divisor), rest);
const ofText = (name: string) => one((value) => textMethods[name]!(text(value))({ positional: [], named: new Map() }));
const isText = (value: Value) => typeof value === "string" || value instanceof Markup;

const [eq, ne, lt, le, gt, ge] = ["==", "!=", "<", "<=", ">", ">="].map(comparison) as [
  Signature,
  Signature,
  Signature,
  Signature,
  Signature,
  Signature,
];

/** What may stand after `is`. */
export const tests: Readonly<Record<string, Signature>> = {
  defined: one((value) => !(value instanceof Undefined)),
  undefined: one((value) => value instanceof Undefined),
  none: one((value) => value === null),
  boolean: one((value) => typeof value === "boolean"),
  true: one((value) => value === true),
  false: one((value) => value === false),
  integer: one((value) => typeof value === "bigint"),
  float: one((value) => typeof value === "number"),
  number: one((value) => numeric(value) !== undefined),
  string: one(isText),
  mapping: one((value) => value instanceof Dict),
  sequence: one(
    (value) =>
      isText(value) ||
      Array.isArray(value) ||
      value instanceof Tuple ||
      value instanceof Dict ||
      value instanceof Range ||
      value instanceof Undefined,
  ),
  iterable: one((value) => value instanceof Lazy || value instanceof Markup || iterable(value) !== undefined),
  callable: one((value) => value instanceof Callable || value instanceof Loop || value instanceof Undefined),
  escaped: one((value) => value instanceof Markup),
  odd: one((value) => leaves(value, 2n, 1n)),
  even: one((value) => leaves(value, 2n, 0n)),
  divisibleby: signature("value / num", (value, divisor) => comparisons.get("==")!(remainder(value!, divisor!), 0n)),
  lower: ofText("islower"),
  upper: ofText("isupper"),
  in: comparison("in"),
  // The identity of other values is not the same in two languages.
  sameas: two((a, b) =>
    [a, b].some((value) => value === null || typeof value === "boolean")
      ? a === b
      : fail("sameas can be asked of none, true and false alone"),
  ),
  "==": eq,
  eq,
  equalto: eq,
  "!=": ne,
  ne,
  "<": lt,
  lt,
  lessthan: lt,
  "<=": le,
  le,
  ">": gt,
  gt,
  greaterthan: gt,
  ">=": ge,
  ge,
};
