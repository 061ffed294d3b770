import { fail } from "./errors.ts";
import type { Args, Value } from "./values.ts";

/** What a function does with its parameters in order; one that was not given is undefined. */
type Body = (...values: (Value | undefined)[]) => Value;

/** A function with named parameters. */
export type Signature = (args: Args) => Value;

/**
 * A function from its parameters, such as "old new count?": "?" marks those that may be left out, and after "/" stand those that can be
 * given by name.
 */
export function signature(parameters: string, body: Body): Signature {
  const all = parameters.split(" ").filter(Boolean);
  const firstNamed = all.indexOf("/");
  const names = all.filter((name) => name !== "/");
  return ({ positional, named }) => {
    if (positional.length > names.length) fail(`was given ${positional.length} arguments; it takes ${names.length}`);
    const values: (Value | undefined)[] = [...positional];
    const left = new Set(named.keys());
    for (const [i, name] of names.entries()) {
      const plain = name.replace("?", "");
      if (i >= firstNamed && i >= positional.length && left.delete(plain)) values[i] = named.get(plain)!;
      if (values[i] === undefined && !name.endsWith("?")) fail(`needs the argument ${plain}`);
    }
    if (left.size > 0) fail(`takes no argument named ${[...left].join(", ")}`);
    return body(...values);
  };
}
