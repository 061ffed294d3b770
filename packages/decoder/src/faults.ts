import type { z } from "zod";

/**
 * What a schema found wrong, a line a field: its name, its value, and what was expected.
 * @param given what was checked
 * @param where what is said before a field's name, for fields of a field
 */
export function faultsOf(error: z.ZodError, given: object, where: (field: string) => string = () => ""): string[] {
  return error.issues.map(({ path, message }) => {
    const field = String(path[0]);
    const value = JSON.stringify((given as Readonly<Record<string, unknown>>)[field]);
    return `${where(field)}${path.join(".")} is ${value ?? "missing"}: ${message.toLowerCase()}`;
  });
}
