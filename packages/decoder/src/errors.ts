import { excerpt, LetheError, listed } from "@lethe/tensor";
import type { z } from "zod";

/** A model cannot be loaded from a directory, or cannot be saved there. */
export class ModelError extends LetheError {
  override readonly name = "ModelError";
}

/** A field of `config.json` is missing, wrong or not supported. The message names the field. */
export class ConfigError extends LetheError {
  override readonly name = "ConfigError";
}

/** A model was asked for something that it cannot do. */
export class ModelUseError extends LetheError {
  override readonly name = "ModelUseError";
}

/**
 * The problems that a schema found, one line for each field: its name, its value, and what was expected.
 * @param given the value that was checked
 * @param prefix what comes before a field's name, for fields inside another field
 */
export function schemaProblems(
  error: z.ZodError,
  given: object,
  prefix: (field: string) => string = () => "",
): string[] {
  return error.issues.map(({ path, message }) => {
    const field = String(path[0]);
    const value = JSON.stringify((given as Readonly<Record<string, unknown>>)[field]);
    return `${prefix(field)}${path.join(".")} is ${value ? excerpt(value) : "missing"}: ${message.toLowerCase()}`;
  });
}

/** An error about the fields of a configuration. @param where what to call it. @param problems a line for each field */
export function configError(where: string, problems: readonly string[]): ConfigError {
  return new ConfigError(`${where}:\n  ${listed(problems).join("\n  ")}`);
}
