import { type Command, InvalidArgumentError } from "commander";
import { ExperimentError } from "../errors.ts";

/** The names under which JavaScript itself reports the faults of a program. */
const FAULTS = ["Error", "TypeError", "RangeError", "ReferenceError", "SyntaxError", "AssertionError"];

/** An error in words: the message where it was written for people, and the stack of any other, which is a fault to be found. */
export function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (FAULTS.includes(error.name)) return error.stack ?? error.message;
  // The message of a failed cell says which one; its cause may be a fault. The message of any other error holds its cause.
  const { cause } = error;
  const fault = error instanceof ExperimentError && cause instanceof Error && FAULTS.includes(cause.name);
  return `error: ${error.message}${fault ? `\n${cause.stack}` : ""}`;
}

/** Runs a command line with the process's arguments. An error is explained, and the exit code is 1. */
export async function runCommand(command: Command): Promise<void> {
  try {
    await command.parseAsync();
  } catch (error) {
    console.error(explain(error));
    process.exitCode = 1;
  }
}

/** Reads an option that is a whole number from 0. @throws InvalidArgumentError */
export function wholeNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isSafeInteger(value) || value < 0)
    throw new InvalidArgumentError("Expected a whole number from 0.");
  return value;
}
