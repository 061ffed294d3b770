import { fail, unsupported } from "./errors.ts";
import {
  type Args,
  Callable,
  Dict,
  iterate,
  Namespace,
  numeric,
  Range,
  Tuple,
  typeName,
  Undefined,
  type Value,
} from "./values.ts";
import { counted } from "./work.ts";

/** The sandbox of Jinja allows no longer range. */
const longestRange = 100_000n;

function range({ positional, named }: Args): Value {
  const numbers = positional.map((value) => {
    const number = numeric(value);
    return typeof number === "bigint" ? number : fail(`range needs integers, not ${typeName(value)}`);
  });
  if (named.size > 0 || numbers.length < 1 || numbers.length > 3) fail("range takes one, two or three integers");
  const [start, stop, step] = numbers.length === 1 ? [0n, numbers[0]!] : numbers;
  const made = new Range(start!, stop!, step ?? 1n);
  return made.length > longestRange ? fail(`makes a range of ${made.length}, longer than ${longestRange}`) : made;
}

function dict({ positional, named }: Args): Dict {
  const [given] = positional;
  if (given instanceof Undefined) fail(given.why);
  if (positional.length > 1) fail("dict takes one value and names");
  const entries =
    given instanceof Dict ? given.entries() : [...counted(given === undefined ? [] : iterate(given))].map(pair);
  return new Dict([...entries, ...named]);
}

function pair(value: Value): readonly [Value, Value] {
  const items = value instanceof Tuple ? value.items : Array.isArray(value) ? value : fail("dict needs pairs");
  return items.length === 2 ? [items[0]!, items[1]!] : fail("dict needs pairs");
}

function namespace(args: Args): Namespace {
  const made = new Namespace(new Map());
  for (const [name, value] of dict(args).entries())
    made.set(typeof name === "string" ? name : unsupported("a namespace with a name that is no text"), value);
  return made;
}

/** What every template sees. */
export const globals: Readonly<Record<string, Value>> = {
  range: new Callable("range", range),
  dict: new Callable("dict", dict),
  namespace: new Callable("namespace", namespace),
  ...Object.fromEntries(
    ["lipsum", "cycler", "joiner"].map((name) => [name, new Callable(name, () => unsupported(name))]),
  ),
};
