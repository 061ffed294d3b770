import { LetheError, listed } from "@lethe/tensor";
import type { z } from "zod";

/**
 * A value as a schema reads it.
 * @param where what to call the value in an error
 * @throws {LetheError} or a `Fault` that lists the faults with their keys
 */
export function parsed<T>(where: string, schema: z.ZodType<T>, value: unknown, Fault = LetheError): T {
  const { data, error } = schema.safeParse(value);
  if (!error) return data;
  throw new Fault(listed(error.issues.map(({ path, message }) => `${where}: ${keyOf(path)}${message}`)).join("\n"));
}

function keyOf(path: readonly PropertyKey[]): string {
  const key = path.map((part) => (typeof part === "number" ? `[${part}]` : `.${String(part)}`)).join("");
  return key === "" ? "" : `${key.replace(/^\./, "")}: `;
}
