import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { Command, InvalidArgumentError } from "commander";
import { explain } from "./explain.ts";

/** A command line that has its options yet to come. It answers `--help` and refuses what it does not know. */
export function commandLine(name: string, description: string): Command {
  return new Command(name).description(description).showHelpAfterError("(--help lists the options)");
}

/** Runs a command line with the process's arguments, see {@link runProgram}. */
export function runCommand(command: Command): Promise<void> {
  return runProgram(async () => void (await checkingValues(command).parseAsync()));
}

/** Runs a program to its end. An error is explained, and the exit code is 1. */
export async function runProgram(program: () => Promise<void>): Promise<void> {
  for (const stream of [process.stdout, process.stderr]) stream.on("error", endUnprinted);
  try {
    await program();
  } catch (error) {
    console.error(explain(error));
    process.exitCode = 1;
  }
}

/** Ends a program whose output goes nowhere: silently where the reader has ended, as `head` does, with the exit code of shells. */
function endUnprinted(error: NodeJS.ErrnoException): never {
  const unread = error.code === "EPIPE";
  if (!unread) console.error(explain(error));
  process.exit(unread ? 141 : 1);
}

/**
 * Every option that takes a value refuses an empty one. A `<file>`, `<directory>` or `<model>` is looked for from the folder where the
 * command was typed, because npm runs scripts in the repository's root.
 */
export function checkingValues(command: Command): Command {
  for (const option of command.options.filter(({ required }) => required)) {
    const { parseArg: parse, flags } = option;
    option.argParser((text: string, previous: unknown) => {
      if (text === "") throw new InvalidArgumentError("It is empty.");
      const value = /<(file|directory|model)(\.{3})?>/.test(flags)
        ? fromWhereTyped(text, flags.includes("<model>"))
        : text;
      return parse ? parse(value, previous) : value;
    });
  }
  return command;
}

/** @param named whether it may also be org/name on the Hugging Face Hub, where no such directory is there */
function fromWhereTyped(text: string, named: boolean): string {
  const path = resolve(process.env.INIT_CWD ?? "", text);
  return path === resolve(text) || (named && !existsSync(path)) ? text : path;
}

/** A reader of options that are numbers. @throws InvalidArgumentError */
export function number(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || Number.isNaN(value)) throw new InvalidArgumentError("Expected a number.");
  return value;
}

/** A reader of options that are numbers from 0 to 1. @throws InvalidArgumentError */
export function share(text: string): number {
  const value = number(text);
  if (value >= 0 && value <= 1) return value;
  throw new InvalidArgumentError("Expected a number from 0 to 1.");
}

/** A reader of options that are whole numbers of at least `least`. */
export function wholeFrom(least: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() !== "" && Number.isSafeInteger(value) && value >= least) return value;
    throw new InvalidArgumentError(`Expected a whole number from ${least}.`);
  };
}
