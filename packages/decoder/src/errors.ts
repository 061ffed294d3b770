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

/** The logits after a token choose no next token: they hold NaN, or nothing above −∞. */
export class LogitsError extends LetheError {
  override readonly name = "LogitsError";
  readonly sequence: number;
  /** Index of the token in its sequence, padding not counted. */
  readonly token: number;

  /** @param what a name for the sequence: `sequence 3` */
  constructor(what: string, { sequence, token }: Pick<LogitsError, "sequence" | "token">) {
    super(
      `${what}: the logits after its token ${token} hold NaN or nothing above −∞, so there is no next token. ` +
        "Look for weights or hooked values that are NaN or infinite, or for activations too large for f32.",
    );
    this.sequence = sequence;
    this.token = token;
  }
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
  const values = given as Readonly<Record<string, unknown>>;
  // A field may have thousands of faults, and be long.
  const found = new Map(
    [...new Set(error.issues.map(({ path }) => String(path[0])))].map((field) => [
      field,
      JSON.stringify(values[field]),
    ]),
  );
  return error.issues.map(({ path, message }) => {
    const field = String(path[0]);
    const value = found.get(field);
    return `${prefix(field)}${excerpt(path.join("."))} is ${value ? excerpt(value) : "missing"}: ${message.toLowerCase()}`;
  });
}

/** An error about the fields of a configuration. @param where what to call it. @param problems a line for each field */
export function configError(where: string, problems: readonly string[]): ConfigError {
  return new ConfigError(`${where}:\n  ${listed(problems).join("\n  ")}`);
}
