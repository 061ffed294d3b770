import { join } from "node:path";
import { readTextFile } from "@lethe/tensor/node";
import { z } from "zod";
import type { Cell } from "../../cells/cell.ts";
import { type Choice, choiceSchema, chooseWithin, parseTime, secondsOf } from "../../cells/forecast/budget.ts";
import { ratesSchema } from "../../cells/forecast/forecast.ts";
import { writeInto } from "../../cells/out-folder.ts";
import type { CellRunner } from "../../cells/run-cells.ts";
import { ExperimentError } from "../../errors.ts";
import type { RestorationOptions } from "../../studies/restoration/schema.ts";
import { formatDuration } from "../progress.ts";

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

/**
 * Measures the first cell's model and chooses numbers with which each cell fits the budget. Writes them into the folder.
 * @throws ExperimentError when the cell is not trained, or nothing fits
 */
export async function makeChoice(
  out: string,
  budget: string,
  cell: Cell,
  runner: CellRunner,
  stdout: NodeJS.WriteStream,
): Promise<Choice> {
  const { subject, evaluation, studies } = cell.config;
  if (subject.kind !== "unlearned") throw new ExperimentError("--budget needs cells that are trained, by --method.");
  stdout.write(`Measuring what a cell of ${cell.config.model.name} takes here; of a large model this lasts minutes.\n`);
  const { rates, work } = await runner.rehearse(cell, new AbortController().signal);
  const { targetQuestions, unrelatedQuestions } = evaluation;
  const windowStride = (studies.restoration as RestorationOptions | undefined)?.windowStride ?? 1;
  const { epochs, steps } = work;
  const full = { epochs, stepsPerEpoch: Math.ceil(steps / epochs), targetQuestions, unrelatedQuestions, windowStride };
  const choice = chooseWithin(parseTime(budget)!, rates, work, full);
  stdout.write(
    `With all its numbers a cell takes ${formatDuration(secondsOf(rates, work, full))}. To fit --budget ${budget} it has ` +
      `${choice.epochs * choice.stepsPerEpoch} steps (${choice.epochs} × ${choice.stepsPerEpoch}, with answers after each ` +
      `${choice.stepsPerEpoch}), ${choice.targetQuestions} target and ${choice.unrelatedQuestions} unrelated questions and a ` +
      `window stride of ${choice.windowStride}: ${formatDuration(secondsOf(rates, work, choice))}.\n`,
  );
  await writeInto(out, FILE, `${JSON.stringify({ budget, choice, rates }, null, 2)}\n`);
  return choice;
}
