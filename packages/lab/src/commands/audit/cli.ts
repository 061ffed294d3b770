import { type Command, CommanderError } from "commander";
import { checkingValues, commandLine } from "../command-line.ts";
import { failure } from "../exit-codes.ts";
import { runCli } from "../experiment/cli.ts";
import type { CliParts } from "../experiment/cli-parts.ts";
import { experimentCommand } from "../experiment/command.ts";

/** The options of an experiment that say nothing of a training. They mean the same here, and are defined there. */
const SHARED = [
  "--unlearned",
  "--data",
  "--format",
  "--unrelated",
  "--concept",
  "--control",
  "--study",
  "--option",
  "--prompt",
  "--judge",
  "--judge-threshold",
  "--known",
  "--target-questions",
  "--unrelated-questions",
  "--least-questions",
  "--cell",
  "--out",
  "--resume",
  "--list-cells",
];

const VANILLA = "--vanilla";
const DEFAULT_OUT = "out/audit";

/**
 * Runs `npm run audit`: an experiment on models that were unlearned before, with the breadth of the paper.
 * @param args the arguments after the program's name
 * @returns the exit code of the experiment
 */
export async function runAudit(args: readonly string[], parts: CliParts): Promise<number> {
  const program = command(parts);
  try {
    program.parse(args, { from: "user" });
    if (program.opts<{ unlearned: string[] }>().unlearned.length === 0)
      program.error("error: required option '--unlearned <model>' not specified");
  } catch (error) {
    if (error instanceof CommanderError) return failure(error).code;
    throw error;
  }
  const experiment = args.map((argument) => argument.replace(/^--vanilla(?==|$)/, "--model"));
  const typed = { command: "npm run audit --", arguments: args };
  return runCli(["--preset", "paper", "--out", DEFAULT_OUT, ...experiment], { ...parts, typed });
}

function command(parts: CliParts): Command {
  const { options } = experimentCommand(parts);
  const program = commandLine(
    "audit",
    "Compares models that somebody unlearned with the vanilla model from which they were made, by the studies and the report of " +
      "npm run experiment. Nothing is trained. Models that do not belong together are refused.",
  ).requiredOption(`${VANILLA} <model>`, "the model from which the unlearned ones were made, in Hugging Face's format");
  for (const option of options.filter(({ long }) => SHARED.includes(long!))) program.addOption(option);
  program
    .addHelpText(
      "after",
      `\nResults go to ${DEFAULT_OUT}, and where nothing else is asked for, the preset is the experiment's “paper”.`,
    )
    .exitOverride()
    .configureOutput({
      writeOut: (text) => parts.stdout.write(text),
      writeErr: (text) => parts.stderr.write(text),
    });
  return checkingValues(program);
}
