import { LetheError } from "@lethe/tensor";
import type { z } from "zod";

/** A file can have more faults than anyone would read. */
const mostFaults = 12;

/**
 * A value as a schema reads it.
 * @param where what to call the value in an error
 * @throws {LetheError} or a `Fault` that lists the faults with their keys, at most twelve of them
 */
export function parsed<T>(where: string, schema: z.ZodType<T>, value: unknown, Fault = LetheError): T {
  const { data, error } = schema.safeParse(value);
  if (!error) return data;
  const faults = error.issues.slice(0, mostFaults).map(({ path, message }) => `${where}: ${keyOf(path)}${message}`);
  const more = error.issues.length - faults.length;
  throw new Fault([...faults, ...(more > 0 ? [`${where}: and ${more} more`] : [])].join("\n"));
}

function keyOf(path: readonly PropertyKey[]): string {
  const key = path.map((part) => (typeof part === "number" ? `[${part}]` : `.${String(part)}`)).join("");
  return key === "" ? "" : `${key.replace(/^\./, "")}: `;
}
