import { fail, unsupported } from "./errors.ts";
import { type Signature, signature } from "./signature.ts";
import { asIndex, textMethods } from "./texts.ts";
import {
  type Args,
  Callable,
  codePoints,
  Dict,
  equal,
  Loop,
  Markup,
  Namespace,
  numeric,
  or,
  Range,
  Tuple,
  typeName,
  Undefined,
  type Value,
  View,
} from "./values.ts";
import { spend } from "./work.ts";

/** `start:stop:step` */
export interface Slice {
  readonly start: Value;
  readonly stop: Value;
  readonly step: Value;
}

const dictMethods: Readonly<Record<string, (dict: Dict) => Signature>> = {
  keys: (dict) => signature("", () => new View("keys", dict.keys())),
  values: (dict) =>
    signature(
      "",
      () =>
        new View(
          "values",
          dict.entries().map(([, value]) => value),
        ),
    ),
  items: (dict) =>
    signature(
      "",
      () =>
        new View(
          "items",
          dict.entries().map((entry) => new Tuple(entry)),
        ),
    ),
  get: (dict) => signature("key default?", (key, otherwise) => or(dict.get(key!), or(otherwise, null))),
  copy: (dict) => signature("", () => dict),
};

const listMethods: Readonly<Record<string, (items: readonly Value[]) => Signature>> = {
  count: (items) => signature("value", (value) => BigInt(items.filter((item) => equal(item, value!)).length)),
  index: (items) =>
    signature("value", (value) => {
      const at = items.findIndex((item) => equal(item, value!));
      return at < 0 ? fail("the value is not in the list") : BigInt(at);
    }),
};

/** Attributes that Python's values have and that are not followed here. */
const others: Readonly<Record<string, string>> = {
  str: "casefold encode expandtabs format_map isascii isidentifier isprintable istitle maketrans swapcase translate",
  list: "",
  tuple: "",
  dict: "fromkeys",
  int: "as_integer_ratio bit_count bit_length conjugate denominator from_bytes imag numerator real to_bytes",
  float: "as_integer_ratio conjugate fromhex hex imag is_integer real",
  range: "count index start step stop",
  dict_keys: "isdisjoint mapping",
  dict_values: "mapping",
  dict_items: "isdisjoint mapping",
  generator: "close gi_running gi_suspended gi_yieldfrom send throw",
};
const changing = new Set("append clear extend insert pop popitem remove reverse setdefault sort update".split(" "));

/** A record's own entry: names from a template must not reach a prototype. */
export function own<T>(record: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}

/** The attribute of a Python object; `undefined` where it has none. */
function attributeOf(object: Value, name: string): Value | undefined {
  if (object instanceof Undefined) return fail(object.why);
  if (object instanceof Namespace) return object.fields.get(name);
  if (object instanceof Loop) return object.attribute(name);
  if (object instanceof Callable || object instanceof Markup) return unsupported(`.${name} of a ${typeName(object)}`);
  if (name.startsWith("__")) return unsupported(name);
  const isSequence = Array.isArray(object) || object instanceof Tuple;
  if ((Array.isArray(object) || object instanceof Dict) && changing.has(name)) {
    const has =
      object instanceof Dict
        ? !/append|extend|insert|remove|reverse|sort/.test(name)
        : !/popitem|setdefault|update/.test(name);
    if (has) return new Undefined(`access to attribute '${name}' of '${typeName(object)}' object is unsafe.`);
  }
  let method: Signature | undefined;
  if (typeof object === "string") method = own(textMethods, name)?.(object);
  else if (object instanceof Dict) method = own(dictMethods, name)?.(object);
  else if (isSequence) method = own(listMethods, name)?.(Array.isArray(object) ? object : (object as Tuple).items);
  if (method) return new Callable(name, method);
  const type = typeof object === "boolean" ? "int" : typeName(object);
  if (own(others, type)?.split(" ").includes(name) || (Array.isArray(object) && name === "copy"))
    return unsupported(`.${name} of ${type}`);
  return undefined;
}

/** `object.name` */
export function attribute(object: Value, name: string): Value {
  const found = attributeOf(object, name);
  if (found !== undefined || !(object instanceof Dict)) return or(found, missing(object, name));
  return or(item(object, name), missing(object, name));
}

/** `object[key]` */
export function subscript(object: Value, key: Value): Value {
  if (object instanceof Undefined) return fail(object.why);
  const found = item(object, key);
  if (found !== undefined) return found;
  return or(typeof key === "string" ? attributeOf(object, key) : undefined, missing(object, key));
}

function missing(object: Value, key: Value): Undefined {
  return new Undefined(
    `'${typeName(object)} object' has no attribute '${typeof key === "string" ? key : typeName(key)}'`,
  );
}

/** What Python's own subscript gives; `undefined` where it has a TypeError or a LookupError. */
function item(object: Value, key: Value): Value | undefined {
  if (object instanceof Dict) return Array.isArray(key) || key instanceof Dict ? undefined : object.get(key);
  const index = numeric(key);
  if (object instanceof Range) {
    if (typeof index !== "bigint") return undefined;
    const at = index < 0n ? index + object.length : index;
    return at >= 0n && at < object.length ? object.at(at) : undefined;
  }
  const items = sequence(object);
  return items && typeof index === "bigint" ? items.at(Number(index)) : undefined;
}

function sequence(object: Value): readonly Value[] | undefined {
  if (typeof object === "string") return codePoints(object);
  if (object instanceof Markup) return unsupported("a part of text from safe");
  return object instanceof Tuple ? object.items : Array.isArray(object) ? object : undefined;
}

/** `object[start:stop:step]`, by the rules of `slice.indices`. */
export function slice(object: Value, { start, stop, step }: Slice): Value {
  if (object instanceof Undefined) return fail(object.why);
  const items = sequence(object);
  const size = object instanceof Range ? Number(object.length) : items?.length;
  if (size === undefined) return fail(`a ${typeName(object)} has no slices`);
  const by = step === null ? 1 : asIndex(step, 1);
  if (by === 0) return fail("slice step cannot be zero");
  const [low, high] = by > 0 ? [0, size] : [-1, size - 1];
  const place = (value: Value, otherwise: number) => {
    if (value === null) return otherwise;
    const index = asIndex(value, 0);
    return Math.min(high, Math.max(low, index < 0 ? index + size : index));
  };
  const [from, to] = [place(start, by > 0 ? low : high), place(stop, by > 0 ? high : low)];
  if (object instanceof Range)
    return new Range(object.at(BigInt(from)), object.at(BigInt(to)), object.step * BigInt(by));
  const length = Math.max(0, Math.ceil((to - from) / by));
  spend(length / 16 + 1);
  const taken = Array.from({ length }, (_, i) => items![from + i * by]!);
  if (typeof object === "string") return taken.join("");
  return object instanceof Tuple ? new Tuple(taken) : taken;
}

/** `callee(…)` */
export function call(callee: Value, args: Args): Value {
  if (callee instanceof Undefined) return fail(callee.why);
  if (!(callee instanceof Callable)) return fail(`${typeName(callee)} cannot be called`);
  return callee.call(args);
}
