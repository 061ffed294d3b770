import { own, subscript } from "./access.ts";
import { fail, unsupported } from "./errors.ts";
import { fixed, percent } from "./format.ts";
import { dumps } from "./json.ts";
import { binary, length, signed } from "./operators.ts";
import { type Signature, signature } from "./signature.ts";
import { tests } from "./tests.ts";
import { asIndex, asText, capitalize, center, join, replace, splitLines, strip, white } from "./texts.ts";
import {
  type Args,
  codePoints,
  compare,
  Dict,
  iterate,
  keyOf,
  Lazy,
  Markup,
  numeric,
  or,
  Tuple,
  text,
  truth,
  typeName,
  Undefined,
  type Value,
  View,
} from "./values.ts";
import { counted, spend, spendText } from "./work.ts";

const one = (filter: (value: Value) => Value) => signature("value", (value) => filter(value!));
const isTrue = (value: Value | undefined) => value !== undefined && truth(value);
const listOf = (value: Value | undefined) => [...counted(iterate(value!))];

/** The argument `reverse` of Python's sorting, which takes no other values than numbers. */
function isReverse(value: Value | undefined): boolean {
  return truth(numeric(or(value, false)) ?? fail("reverse must be true or false"));
}

/** A text for a filter that makes one of what it is given. */
function soft(value: Value | undefined): string {
  if (value instanceof Markup) return unsupported("a filter on text from safe");
  return text(value!);
}

/** The value at a path such as "function.name" or 0. */
function attributeGetter(path: Value | undefined, otherwise?: Value): (item: Value) => Value {
  const parts: Value[] =
    path == null
      ? []
      : typeof path === "string"
        ? path.split(".").map((part) => (/^\d+$/.test(part) ? BigInt(part) : part))
        : [path];
  return (item) =>
    parts.reduce((at, part) => {
      const found = subscript(at, part);
      return found instanceof Undefined && otherwise != null ? otherwise : found;
    }, item);
}

/** A sort key: letters in lower case, unless case counts. */
function caseKey(sensitive: Value | undefined): (value: Value) => Value {
  return (value) => (typeof value === "string" && !isTrue(sensitive) ? value.toLowerCase() : value);
}

function sortBy(items: readonly Value[], key: (item: Value) => Value, reverse: boolean): Value[] {
  const keyed = items.map((item) => ({ item, key: key(item) }));
  // A reversed sort keeps the order of equal items, too.
  return keyed.sort((a, b) => (reverse ? compare(b.key, a.key) : compare(a.key, b.key)) || 0).map(({ item }) => item);
}

/** The greatest item, or with `sign` −1 the least. */
function extreme(sign: 1 | -1): Signature {
  return signature("value / case_sensitive? attribute?", (value, sensitive, attribute) => {
    const [get, fold] = [attributeGetter(attribute), caseKey(sensitive)];
    const items = listOf(value);
    if (items.length === 0) return new Undefined("No aggregated item, sequence was empty.");
    const keys = items.map((item) => fold(get(item)));
    const best = keys.reduce<number>((at, key, i) => (i > 0 && compare(key, keys[at]!) * sign > 0 ? i : at), 0);
    return items[best]!;
  });
}

/** `select` and its kind. */
function selection(keep: boolean, byAttribute: boolean): Signature {
  return ({ positional: [value, ...rest], named }) => {
    const get = byAttribute
      ? attributeGetter(rest.shift() ?? fail("needs the name of an attribute"))
      : (item: Value) => item;
    const [name, ...more] = rest;
    const test = name === undefined ? undefined : checked(tests, asText(name), "test");
    return lazily(value!, function* (items) {
      for (const item of items) {
        const found = test ? test({ positional: [get(item), ...more], named }) : get(item);
        if (truth(found) === keep) yield item;
      }
    });
  };
}

function lazily(value: Value, body: (items: Iterable<Value>) => IterableIterator<Value>): Lazy {
  return new Lazy(body(truth(value) ? counted(iterate(value)) : []));
}

const map: Signature = ({ positional: [value, name, ...rest], named }) => {
  let apply: (item: Value) => Value;
  if (name === undefined) {
    const attribute = named.get("attribute");
    if (attribute === undefined || named.size > (named.has("default") ? 2 : 1))
      return fail("map needs a filter or an attribute");
    apply = attributeGetter(attribute, named.get("default"));
  } else {
    const filter = filterNamed(asText(name));
    apply = (item) => filter({ positional: [item, ...rest], named });
  }
  return lazily(value!, function* (items) {
    for (const item of items) yield apply(item);
  });
};

function round(value: Value, precision: Value | undefined, method: Value | undefined): Value {
  const number = numeric(value) ?? fail(`a ${typeName(value)} cannot be rounded`);
  const digits = asIndex(precision, 0);
  const how = method ?? "common";
  if (how !== "common" && how !== "ceil" && how !== "floor") return fail("the method must be common, ceil or floor");
  if (digits < 0) return unsupported("a negative precision");
  if (how !== "common") {
    const factor = 10 ** digits;
    const scaled = Number(number) * factor;
    return digits === 0 ? Math[how](scaled) : Math[how](scaled) / factor;
  }
  if (typeof number === "bigint") return number;
  return Number.isFinite(number) ? Number(fixed(number, digits)) : number;
}

const digits = "\\d+(?:_\\d+)*";
const decimal = new RegExp(`^[-+]?${digits}$`);
const floating = new RegExp(
  `^[-+]?(?:(?:${digits}\\.?(?:${digits})?|\\.${digits})(?:e[-+]?${digits})?|inf(?:inity)?|nan)$`,
  "i",
);

/** `float(value)`; `undefined` where Python has an error. */
function toFloat(value: Value): number | undefined {
  const number = numeric(value);
  if (number !== undefined) return Number(number);
  if (typeof value !== "string") return undefined;
  const trimmed = strip(value, null);
  if (/(?!\p{ASCII})\p{N}/u.test(trimmed)) return unsupported("a number beyond ASCII");
  if (!floating.test(trimmed)) return undefined;
  if (/inf/i.test(trimmed)) return trimmed.startsWith("-") ? -Infinity : Infinity;
  return Number(trimmed.replace(/_/g, ""));
}

function toInt(value: Value, otherwise: Value | undefined, base: Value | undefined): Value {
  if (value instanceof Undefined) return fail(value.why);
  if (base !== undefined && base !== 10n) return unsupported("another base than 10");
  const number = numeric(value);
  if (typeof number === "bigint") return number;
  const trimmed = typeof value === "string" ? strip(value, null) : "";
  if (decimal.test(trimmed)) return BigInt(trimmed.replace(/_|^\+/g, ""));
  const float = toFloat(value);
  return float !== undefined && Number.isFinite(float) ? BigInt(Math.trunc(float)) : or(otherwise, 0n);
}

function indent(value: string, width: Value | undefined, first: Value | undefined, blank: Value | undefined): string {
  const by = typeof width === "string" ? width : " ".repeat(Math.max(0, Math.min(2 ** 20, asIndex(width, 4))));
  const lines = splitLines(`${value}\n`);
  const indented = lines.map((line, i) => (i > 0 && (isTrue(blank) || line !== "") ? by + line : line));
  return (isTrue(first) ? by : "") + join("\n", indented);
}

function truncate(value: string, size: number, kill: boolean, end: string, leeway: number): string {
  const all = codePoints(value);
  const kept = size - codePoints(end).length;
  if (kept < 0 || leeway < 0) return fail("truncate needs a length of at least its end's");
  if (all.length <= size + leeway) return value;
  const head = all.slice(0, kept).join("");
  const cut = head.lastIndexOf(" ");
  return (kill || cut < 0 ? head : head.slice(0, cut)) + end;
}

function tojson(value: Value, ascii?: Value, indented?: Value, separators?: Value, sorted?: Value): string {
  const width = Number(numeric(indented ?? null) ?? 0);
  spendText(width);
  const step = typeof indented === "string" ? indented : indented == null ? null : " ".repeat(Math.max(0, width));
  const [between, colon] = separators == null ? [step === null ? ", " : ",", ": "] : listOf(separators).map(asText);
  if (colon === undefined) return fail("tojson needs two separators");
  return dumps(value, { ascii: isTrue(ascii), indent: step, between: between!, colon, sorted: isTrue(sorted) });
}

/** The filters of Jinja, and `tojson` as `transformers` has it. */
const filters: Readonly<Record<string, Signature>> = {
  abs: one((value) => {
    const number = numeric(value) ?? fail(`a ${typeName(value)} has no absolute value`);
    return number < 0 ? signed("-", number) : number === 0 ? 0 : number;
  }),
  batch: signature("value / linecount fill_with?", (value, count, fill) => {
    const [items, size] = [listOf(value), asIndex(count, 1)];
    if (size < 1) return unsupported("a batch of less than one");
    spend(size);
    const rows = Array.from({ length: Math.ceil(items.length / size) }, (_, i) =>
      items.slice(i * size, (i + 1) * size),
    );
    while (fill != null && rows.length > 0 && rows.at(-1)!.length < size) rows.at(-1)!.push(fill);
    return new Lazy(rows.values());
  }),
  capitalize: one((value) => capitalize(soft(value))),
  center: signature("value / width?", (value, width) => center(soft(value), width ?? 80n)),
  count: one(length),
  length: one(length),
  default: signature("value / default_value? boolean?", (value, otherwise, boolean) =>
    value instanceof Undefined || (isTrue(boolean) && !truth(value!)) ? or(otherwise, "") : value!,
  ),
  dictsort: signature("value / case_sensitive? by? reverse?", (value, sensitive, by, reverse) => {
    const position = ["key", "value"].indexOf(by === undefined ? "key" : asText(by));
    if (position < 0) return fail('dictsort sorts by "key" or "value"');
    if (!(value instanceof Dict)) return fail(`a ${typeName(value!)} cannot be sorted as a dict`);
    const fold = caseKey(sensitive);
    return sortBy(
      value.entries().map((entry) => new Tuple(entry)),
      (entry) => fold((entry as Tuple).items[position]!),
      isReverse(reverse),
    );
  }),
  escape: one((value) => {
    if (value instanceof Markup) return value;
    const entities: Readonly<Record<string, string>> = {
      "&": "&amp;",
      "<": "&lt;",
      ">": "&gt;",
      "'": "&#39;",
      '"': "&#34;",
    };
    return new Markup(text(value).replace(/[&<>'"]/g, (char) => entities[char]!));
  }),
  first: one((value) => {
    for (const item of iterate(value)) return item;
    return new Undefined("No first item, sequence was empty.");
  }),
  last: one((value) => {
    if (value instanceof Lazy) return fail("a generator cannot be read from its end");
    return or(listOf(value).at(-1), new Undefined("No last item, sequence was empty."));
  }),
  float: signature("value / default?", (value, otherwise) => {
    if (value instanceof Undefined) return fail(value.why);
    return or(toFloat(value!), or(otherwise, 0));
  }),
  int: signature("value / default? base?", (value, otherwise, base) => toInt(value!, otherwise, base)),
  format: ({ positional: [value, ...rest], named }) => {
    if (rest.length > 0 && named.size > 0) return fail("format takes values by place or by name, not both");
    return percent(soft(value), named.size > 0 ? new Dict(named) : new Tuple(rest));
  },
  groupby: signature("value / attribute default? case_sensitive?", (value, attribute, otherwise, sensitive) => {
    const [get, fold] = [attributeGetter(attribute, otherwise), caseKey(sensitive)];
    const groups: [string, Value, Value[]][] = [];
    for (const item of sortBy(listOf(value), (item) => fold(get(item)), false)) {
      const key = keyOf(fold(get(item)));
      if (groups.at(-1)?.[0] !== key) groups.push([key, get(item), []]);
      groups.at(-1)![2].push(item);
    }
    return groups.map(([, key, items]) => new Tuple([key, items]));
  }),
  indent: signature("value / width? first? blank?", (value, width, first, blank) =>
    indent(asText(value), width, first, blank),
  ),
  items: one((value) => {
    if (value instanceof Undefined) return new Lazy([].values());
    if (!(value instanceof Dict)) return fail(`a ${typeName(value)} has no items`);
    return new Lazy(
      value
        .entries()
        .map((entry) => new Tuple(entry))
        .values(),
    );
  }),
  join: signature("value / d? attribute?", (value, separator, attribute) =>
    join(separator === undefined ? "" : text(separator), listOf(value).map(attributeGetter(attribute)).map(text)),
  ),
  list: one(listOf),
  lower: one((value) => soft(value).toLowerCase()),
  upper: one((value) => soft(value).toUpperCase()),
  map,
  max: extreme(1),
  min: extreme(-1),
  reject: selection(false, false),
  rejectattr: selection(false, true),
  select: selection(true, false),
  selectattr: selection(true, true),
  replace: signature("value / old new count?", (value, old, next, count) =>
    replace(text(value!), text(old!), text(next!), count === null ? -1 : asIndex(count, -1)),
  ),
  reverse: one((value) => {
    if (typeof value === "string") return codePoints(value).toReversed().join("");
    return value instanceof Lazy || value instanceof View
      ? listOf(value).reverse()
      : new Lazy(listOf(value).reverse().values());
  }),
  round: signature("value / precision? method?", (value, precision, method) => round(value!, precision, method)),
  safe: one((value) => new Markup(text(value))),
  slice: signature("value / slices fill_with?", (value, slices, fill) => {
    const [items, count] = [listOf(value), asIndex(slices, 1)];
    if (count < 1) return unsupported("slices fewer than one");
    spend(count);
    const extra = items.length % count;
    const start = (i: number) => i * Math.floor(items.length / count) + Math.min(i, extra);
    const columns = Array.from({ length: count }, (_, i) => {
      const column = items.slice(start(i), start(i + 1));
      return fill != null && i >= extra ? [...column, fill] : column;
    });
    return new Lazy(columns.values());
  }),
  sort: signature("value / reverse? case_sensitive? attribute?", (value, reverse, sensitive, attribute) => {
    const paths = typeof attribute === "string" ? attribute.split(",") : [attribute];
    const [getters, fold] = [paths.map((path) => attributeGetter(path)), caseKey(sensitive)];
    return sortBy(listOf(value), (item) => getters.map((get) => fold(get(item))), isReverse(reverse));
  }),
  string: one((value) => (value instanceof Markup ? value : text(value))),
  sum: signature("value / attribute? start?", (value, attribute, start) =>
    listOf(value)
      .map(attributeGetter(attribute))
      .reduce(
        (sum, item) => (typeof sum === "string" ? fail("texts cannot be summed") : binary.get("+")!(sum, item)),
        or(start, 0n),
      ),
  ),
  title: one((value) =>
    soft(value)
      .split(new RegExp(`([-${white}({[<]+)`))
      .filter(Boolean)
      .map((part) => {
        const [first, ...rest] = codePoints(part);
        return first!.toUpperCase() + rest.join("").toLowerCase();
      })
      .join(""),
  ),
  tojson: signature("value / ensure_ascii? indent? separators? sort_keys?", (value, ...style) =>
    tojson(value!, ...style),
  ),
  trim: signature("value / chars?", (value, chars) => strip(soft(value), chars)),
  truncate: signature("value / length? killwords? end? leeway?", (value, size, kill, end, leeway) => {
    if (value instanceof Undefined) return value;
    const ending = end === undefined ? "..." : asText(end);
    return truncate(asText(value), asIndex(size, 255), isTrue(kill), ending, asIndex(leeway ?? undefined, 5));
  }),
  unique: signature("value / case_sensitive? attribute?", (value, sensitive, attribute) => {
    const [get, fold] = [attributeGetter(attribute), caseKey(sensitive)];
    const seen = new Set<string>();
    return lazily(value!, function* (items) {
      for (const item of items) {
        const key = keyOf(fold(get(item)));
        if (!seen.has(key)) yield item;
        seen.add(key);
      }
    });
  }),
  wordcount: one((value) => {
    const all = soft(value);
    return /[^\p{ASCII}]/u.test(all) ? unsupported("wordcount beyond ASCII") : BigInt(all.match(/\w+/g)?.length ?? 0);
  }),
};
const aliases: Readonly<Record<string, string>> = { d: "default", e: "escape" };

/** A filter by name. */
export function filterNamed(name: string): Signature {
  return checked(filters, own(aliases, name) ?? name, "filter");
}

export function testNamed(name: string): Signature {
  return checked(tests, name, "test");
}

function checked(table: Readonly<Record<string, Signature>>, name: string, kind: string): Signature {
  const found = own(table, name) ?? unsupported(`the ${kind} ${JSON.stringify(name)}`);
  return (args: Args) => {
    spend(1);
    return found(args);
  };
}
