import type { Command } from "commander";
import { ExperimentError } from "../../errors.ts";
import { type CellPlan, readPlan } from "./cell-plan.ts";
import type { CliParts } from "./cli-parts.ts";
import { experimentCommand, type Options, PROCESS_OPTIONS } from "./command.ts";

/** A command line that was read, with its plan where it has one. */
export interface ReadCommand {
  readonly program: Command;
  /** Where the plan is, or is to be written. */
  readonly planPath: string | undefined;
  /** The plan, where its file was there. */
  readonly plan: CellPlan | undefined;
  /** All arguments, those of the plan first. */
  readonly arguments: readonly string[];
  /** The arguments without those that say what this process does: they decide the cells. */
  readonly deciding: readonly string[];
}

/**
 * Reads a command line. Where a plan is there already, the options that decide the cells are the plan's.
 * @throws CommanderError for what is no option; ExperimentError where an option beside a plan could change its cells
 */
export async function readCommand(
  args: readonly string[],
  parts: Pick<CliParts, "studies" | "stdout" | "stderr">,
): Promise<ReadCommand> {
  const typed = parse(args, parts);
  const { plan: planPath } = typed.opts<Options>();
  const plan = planPath === undefined ? undefined : await readPlan(planPath);
  const deciding = withoutOptions(args, typed);
  if (!plan) return { program: typed, planPath, plan, arguments: args, deciding };
  if (deciding.length > 0)
    throw new ExperimentError(
      `--plan ${planPath} decides the cells, so ${deciding[0]} cannot stand beside it. Leave it out, or name a plan that is not there yet.`,
    );
  const whole = [...plan.arguments, ...args];
  return { program: parse(whole, parts), planPath, plan, arguments: whole, deciding: plan.arguments };
}

function parse(args: readonly string[], parts: Pick<CliParts, "studies" | "stdout" | "stderr">): Command {
  return experimentCommand(parts).parse(args, { from: "user" });
}

/** Arguments without the {@link PROCESS_OPTIONS} and their values. */
export function withoutOptions(args: readonly string[], { options }: Command): string[] {
  const kept: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const flag = args[i]!.split("=")[0]!;
    const option = options.find(({ long }) => long === flag);
    if (!option || !PROCESS_OPTIONS.includes(flag)) {
      kept.push(args[i]!);
      continue;
    }
    const separate = !args[i]!.includes("=") && (option.required || (option.optional && isValue(args[i + 1])));
    if (separate) i++;
  }
  return kept;
}

function isValue(argument: string | undefined): boolean {
  return argument !== undefined && !argument.startsWith("-");
}
