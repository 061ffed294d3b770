import type { Cell } from "../../cells/cell.ts";
import type { Choice } from "../../cells/forecast/budget.ts";
import { requireStreamableStudies } from "../../cells/streamable.ts";
import { ExperimentError } from "../../errors.ts";
import { failure } from "../exit-codes.ts";
import { makeChoice, readChoice } from "./budget.ts";
import { inOrderOf, neededFirst, plannedModels, writePlan } from "./cell-plan.ts";
import { type Chosen, chosenBy } from "./chosen-cells.ts";
import type { CliParts } from "./cli-parts.ts";
import { COMMAND } from "./command.ts";
import { measureCosts } from "./costs.ts";
import { findRates } from "./find-rates.ts";
import { listCells } from "./list-cells.ts";
import { publishedRates } from "./published-rates.ts";
import { type ReadCommand, readCommand } from "./read-command.ts";
import { reportFinished } from "./report-finished.ts";
import { requireFolder, runExperiment } from "./run-experiment.ts";
import { stoppable } from "./stop-signals.ts";

/**
 * Runs `npm run experiment`.
 * @param args the arguments after the program's name
 * @returns the exit code, see {@link failure}; 0 where everything is done, or was done before
 */
export async function runCli(args: readonly string[], parts: CliParts): Promise<number> {
  try {
    const read = await readCommand(args, parts);
    const chosen = await chosenBy(read.program, read.plan ? plannedModels(read.plan) : new Map(), parts);
    return await run(read, chosen, parts);
  } catch (error) {
    const { code, message } = failure(error);
    if (message) parts.stderr.write(`${message}\n`);
    return code;
  }
}

async function run(read: ReadCommand, chosen: Chosen, given: CliParts): Promise<number> {
  const { options, out, studies } = chosen;
  const { vanilla } = options;
  if (vanilla === "streamed") requireStreamableStudies(studies);
  const parts: CliParts = { ...given, openRunner: (studies) => given.openRunner(studies, { vanilla }) };
  const { stdout } = parts;
  const { cells, choice, openRunner } = await cellsOf(read, chosen, parts);
  if (options.listCells) {
    stdout.write(await listCells(cells, { ...read, out, studies: parts.studies, json: options.json ?? false }));
    return 0;
  }
  if (options.findRate) {
    const grid = options.findRate === true ? undefined : options.findRate;
    return findRates(cells, {
      ...parts,
      search: { grid, targetBleu: options.targetBleu },
      out,
      command: [COMMAND, ...read.arguments].join(" "),
      openRunner: () => parts.openRunner(studies),
    });
  }
  const typed = parts.typed ?? { command: COMMAND, arguments: read.arguments };
  if (options.report) return reportFinished(cells, { ...parts, out, ...typed });
  for (const line of publishedRates(cells, chosen.recipes)) stdout.write(`${line}\n`);
  return runExperiment(cells, {
    ...parts,
    openRunner,
    ...share(cells, read, options),
    out,
    // The tasks of a plan share a folder, and the plan keeps other experiments out of it.
    resume: options.resume ?? read.planPath !== undefined,
    profile: options.profile,
    begun: choice !== undefined,
    ...typed,
  });
}

/** Which cells this process runs, and whether it writes the report too: of a plan's tasks none does. */
function share(cells: readonly Cell[], { planPath }: ReadCommand, { cell, cellIndex }: Chosen["options"]) {
  if (cellIndex === undefined) return { only: cell, reports: planPath === undefined || cell.length === 0 };
  const chosen = cells[cellIndex];
  if (chosen) return { only: [chosen.id], reports: false };
  throw new ExperimentError(
    `--cell-index ${cellIndex}: there are ${cells.length} cells, from 0 to ${cells.length - 1}.`,
  );
}

interface Listed {
  readonly cells: readonly Cell[];
  readonly choice: Choice | undefined;
  readonly openRunner: CliParts["openRunner"];
}

/** The cells of an experiment: those of its plan, where it has one, or those that a budget leaves, or all. A plan that is new is written. */
async function cellsOf(read: ReadCommand, chosen: Chosen, parts: CliParts): Promise<Listed> {
  const { options, out, studies } = chosen;
  const { plan, planPath } = read;
  if (plan) {
    const cells = inOrderOf(plan, await chosen.cells(plan.choice ?? undefined), planPath!);
    return { cells, choice: undefined, openRunner: parts.openRunner };
  }
  const known = options.resume || options.listCells ? await readChoice(out, options.budget) : undefined;
  const all = await chosen.cells(known);
  const budgeted =
    options.budget !== undefined && !known && all[0] ? await choose(all[0], options.budget, chosen, parts) : undefined;
  const choice = known ?? budgeted?.choice;
  const openRunner = budgeted?.openRunner ?? parts.openRunner;
  const cells = budgeted ? await chosen.cells(choice) : all;
  if (planPath === undefined) return { cells, choice, openRunner };
  const ordered = neededFirst(cells);
  const costs = options.measure ? await measureCosts(ordered, { ...parts, openRunner, studies }) : undefined;
  const models = [...chosen.references].map(async ([place, reference]) => ({
    place: String(place),
    ...(await reference),
  }));
  await writePlan(planPath, {
    arguments: [...read.deciding, "--out", out],
    models: await Promise.all(models),
    choice: choice ?? null,
    adapter: costs?.adapter ?? null,
    cells: ordered.map(({ id }) => ({ id, cost: costs?.byId.get(id) ?? null })),
  });
  parts.stderr.write(`Plan of ${ordered.length} cells: ${planPath}\n`);
  return { cells: ordered, choice, openRunner };
}

/** Chooses numbers with which a cell keeps to a budget. The device that was measured runs the cells afterwards. */
async function choose(cell: Cell, budget: string, { options, out, studies }: Chosen, parts: CliParts) {
  if (options.listCells)
    throw new ExperimentError(`The cells of a budget are known when a run into ${out} has begun with it.`);
  await requireFolder(out, options.resume);
  const runner = await parts.openRunner(studies);
  const measuring = (signal: AbortSignal) => makeChoice(cell, { ...parts, out, budget, runner, studies, signal });
  const onStop = () => parts.stderr.write("Stopping; press Ctrl-C again to stop at once. Nothing was begun.\n");
  const choice = await stoppable(measuring, onStop).catch(async (error) => {
    await runner.close();
    throw error;
  });
  return { choice, openRunner: async () => runner };
}
