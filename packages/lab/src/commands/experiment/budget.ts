import { join } from "node:path";
import { readTextFile } from "@lethe/tensor/node";
import { z } from "zod";
import type { Cell } from "../../cells/cell.ts";
import { FolderStore } from "../../cells/folder-store.ts";
import { type Choice, choiceSchema, chooseWithin, parseTime, secondsOf } from "../../cells/forecast/budget.ts";
import { ratesSchema } from "../../cells/forecast/forecast.ts";
import { writeInto } from "../../cells/out-folder.ts";
import { adapterTitle, type CellRunner } from "../../cells/run-cells.ts";
import { keepEveryMinute, UnfinishedCell } from "../../cells/unfinished-cell.ts";
import { ExperimentError } from "../../errors.ts";
import type { Study } from "../../studies/study.ts";
import type { Watcher } from "../../subjects/subject.ts";
import { formatDuration } from "../duration.ts";
import { showProgress } from "../progress.ts";

const FILE = "budget.json";

/** What a budget chose, kept so that a resumed run has the same cells. */
const recordSchema = z.strictObject({ budget: z.string(), choice: choiceSchema, rates: ratesSchema });

/**
 * Reads what an earlier run with this budget chose.
 * @throws ExperimentError when the folder's budget is another
 */
export async function readChoice(out: string, budget: string | undefined): Promise<Choice | undefined> {
  const text = await readTextFile(join(out, FILE));
  if (text === undefined) return undefined;
  const { success, data } = recordSchema.safeParse(JSON.parse(text));
  if (!success) throw new ExperimentError(`${join(out, FILE)} is not a record of a budget. Name another --out.`);
  if (data.budget === budget) return data.choice;
  throw new ExperimentError(
    `The experiment in ${out} was begun with --budget ${data.budget}. Give the same one with --resume, or name another --out.`,
  );
}

/** What {@link makeChoice} works with. */
export interface ChoiceParts {
  /** The folder of results. */
  readonly out: string;
  readonly budget: string;
  readonly runner: CellRunner;
  /** Those of the cells. */
  readonly studies: readonly Study[];
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  readonly signal: AbortSignal;
}

/**
 * Measures the first cell's model and chooses numbers with which each cell fits the budget. Writes them into the folder.
 * @throws ExperimentError when the cell is not trained, or nothing fits
 */
export async function makeChoice(cell: Cell, parts: ChoiceParts): Promise<Choice> {
  const { out, budget, studies: all, stdout } = parts;
  const { config } = cell;
  if (config.subject.kind !== "unlearned")
    throw new ExperimentError("--budget needs cells that are trained, by --method.");
  stdout.write(`Measuring what a cell of ${config.model.name} takes here; of a large model this lasts minutes.\n`);
  const { rates, work } = await measure(cell, parts);
  const studies = all.filter(({ name }) => name in config.studies);
  const measured = { rates, work, studies };
  const { targetQuestions, unrelatedQuestions } = config.evaluation;
  const stepsPerEpoch = Math.ceil(work.steps / work.epochs);
  const full = { epochs: work.epochs, stepsPerEpoch, targetQuestions, unrelatedQuestions, studies: config.studies };
  const choice = chooseWithin(parseTime(budget)!, measured, full);
  const said = [
    `${choice.epochs * choice.stepsPerEpoch} steps (${choice.epochs} × ${choice.stepsPerEpoch}, with answers after each ${choice.stepsPerEpoch})`,
    `${choice.targetQuestions} target and ${choice.unrelatedQuestions} unrelated questions`,
    ...studies.flatMap(({ name, cost }) => (cost ? [cost.describe(choice.studies[name])] : [])),
  ];
  stdout.write(
    `With all its numbers a cell takes ${formatDuration(secondsOf(measured, full))}. To fit --budget ${budget} it has ` +
      `${said.slice(0, -1).join(", ")} and ${said.at(-1)}: ${formatDuration(secondsOf(measured, choice))}.\n`,
  );
  await writeInto(out, FILE, `${JSON.stringify({ budget, choice, rates }, null, 2)}\n`);
  return choice;
}

async function measure(cell: Cell, { out, runner, stderr, signal }: ChoiceParts) {
  const display = showProgress(stderr, 1);
  const watcher: Watcher = {
    progress: (share, stage) => display.update(share, cell.id, stage),
    remark: (line) => display.line(line),
    signal,
  };
  const { unfinished: store } = new FolderStore(out);
  const adapter = adapterTitle(runner.adapter);
  try {
    const unfinished = new UnfinishedCell({ store, id: cell.id, adapter, policy: keepEveryMinute, watcher });
    return await runner.rehearse(cell, watcher, unfinished);
  } finally {
    display.stop();
  }
}
