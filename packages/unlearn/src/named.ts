import { LetheError } from "@lethe/tensor";
import leven from "leven";

/**
 * The entry of a name in a list.
 * @param kind what the entries are, in the singular, for the message
 * @throws {LetheError} when there is none, naming the nearest
 */
export function named<T extends { readonly name: string }>(kind: string, all: readonly T[], name: string): T {
  const found = all.find((entry) => entry.name === name);
  if (found) return found;
  const names = all.map((entry) => entry.name);
  const [nearest] = names.toSorted((a, b) => leven(a, name.toLowerCase()) - leven(b, name.toLowerCase()));
  throw new LetheError(
    `there is no ${kind} "${name}"; "${nearest}" comes nearest. The ${kind}s are ${names.join(", ")}.`,
  );
}
