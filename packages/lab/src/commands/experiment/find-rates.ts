import { NonFiniteError } from "@lethe/autograd";
import { LogitsError } from "@lethe/decoder";
import stringify from "json-stringify-pretty-compact";
import { type Cell, type CellConfig, cellId, stemOf } from "../../cells/cell.ts";
import { writeInto } from "../../cells/out-folder.ts";
import { adapterTitle, type CellRunner } from "../../cells/run-cells.ts";
import { slug } from "../../cells/slug.ts";
import { ExperimentError } from "../../errors.ts";
import { differences } from "../../recipes/fields.ts";
import { bleuAtEnd, findRate, mostTries, type RateSearch } from "../../recipes/find-rate.ts";
import { FOUND_RECIPES, readRecords } from "../../recipes/read-records.ts";
import type { RateEvidence, RateTry, RecipeRecord } from "../../recipes/record.ts";
import { subjectKind } from "../../subjects/list.ts";
import type { Watcher } from "../../subjects/subject.ts";
import { showFigures } from "../figures.ts";
import { showProgress } from "../progress.ts";
import { Stopped, stoppable } from "./stop-signals.ts";

/** What {@link findRates} needs. */
export interface FindRatesOptions {
  readonly search: Omit<RateSearch, "first">;
  readonly out: string;
  /** As typed, for the record. */
  readonly command: string;
  readonly openRunner: () => Promise<CellRunner>;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
}

type Trained = CellConfig & { readonly subject: Extract<CellConfig["subject"], { kind: "unlearned" }> };

/**
 * Looks for the learning rate of each model and method of an experiment, on the first of its concepts, and keeps what it finds in the
 * folder of results, where the experiment looks for recipes.
 * @param cells of the experiment
 * @returns the exit code
 * @throws ExperimentError when no cell trains
 */
export async function findRates(cells: readonly Cell[], options: FindRatesOptions): Promise<number> {
  const { stdout, stderr } = options;
  const searched = firstOfEach(cells);
  if (searched.length === 0)
    throw new ExperimentError("--find-rate has nothing to train: ask for a method with --method.");
  const runner = await options.openRunner();
  const tries = searched.length * mostTries(options.search);
  const display = showProgress(stderr, tries);
  try {
    stdout.write(`Adapter: ${adapterTitle(runner.adapter)}.\n`);
    await stoppable(
      async (signal) => {
        for (const [i, cell] of searched.entries()) {
          const done = i * mostTries(options.search);
          await searchFor(cell, { ...options, runner, signal, display, done });
        }
      },
      () => display.line("Stopping; rates that were found are kept."),
    );
    return 0;
  } catch (error) {
    if (error instanceof Stopped) return error.exitCode;
    throw error;
  } finally {
    display.stop();
    await runner.close();
  }
}

/** The first cell of each model, method and part of the model that is trained. */
function firstOfEach(cells: readonly Cell[]): (Cell & { readonly config: Trained })[] {
  const first = new Map<string, Cell & { readonly config: Trained }>();
  for (const cell of cells) {
    const { model, subject } = cell.config;
    if (subject.kind !== "unlearned") continue;
    const key = `${model.sha256} ${subjectKind(subject).label(subject).name}`;
    if (!first.has(key)) first.set(key, cell as Cell & { readonly config: Trained });
  }
  return [...first.values()];
}

interface Running extends FindRatesOptions {
  readonly runner: CellRunner;
  readonly signal: AbortSignal;
  readonly display: ReturnType<typeof showProgress>;
  /** Tries of the cells before this one. */
  readonly done: number;
}

async function searchFor(cell: Cell & { readonly config: Trained }, running: Running): Promise<void> {
  const { search, runner, signal, display, done, out, command } = running;
  const { model, concept, seed, evaluation, subject } = cell.config;
  const name = stemOf(cell.id);
  let tried = 0;
  const found = await findRate({ ...search, first: subject.training.learningRate }, async (learningRate) => {
    const part = `${name} at ${learningRate.toExponential()}`;
    const watcher: Watcher = {
      progress: (share, stage, now = {}) => display.update(done + tried + share, part, stage, ...showFigures(now)),
      remark: (line) => display.line(`${part}: ${line}`),
      signal,
    };
    const result = await attempt(cell, learningRate, runner, watcher);
    display.line(`${part}: ${inWords(result)}`);
    tried++;
    return result;
  });
  const { learningRate: _, ...training } = subject.training;
  const { options } = subject;
  const about = { command, adapter: runner.adapter.name, concept: concept.name, seed, evaluation, training, options };
  const recipe = differences({ ...subject.training, learningRate: found.chosen });
  const path = await keep(out, model, subjectKind(subject).label(subject).name, {
    recipe,
    evidence: { ...about, ...found },
  });
  const best = found.tries.find(({ learningRate }) => learningRate === found.chosen)!;
  const verdict = found.reached
    ? `--rate ${found.chosen.toExponential()}, with ${inWords(best)}`
    : `no rate brought BLEU on the target to ${search.targetBleu}. The nearest is ${found.chosen.toExponential()}, with ${inWords(best)}. ` +
      "Try higher rates (--find-rate 1e-4,3e-4,…) or more steps (--steps)";
  display.line(`${name}: ${verdict}.\nKept in ${out}/${path}; an experiment with --out ${out} uses it.`);
}

/** Trains a copy of the vanilla model with a rate, and measures what it answers. */
async function attempt(
  { config, sources }: Cell & { readonly config: Trained },
  learningRate: number,
  runner: CellRunner,
  watcher: Watcher,
): Promise<RateTry> {
  const subject = { ...config.subject, training: { ...config.subject.training, learningRate } };
  const tried = { ...config, subject, studies: {} };
  try {
    const { subject: record } = await runner.runCell({ id: cellId(tried), config: tried, sources }, watcher);
    const losses = "steps" in record ? record.steps.map(({ loss }) => loss) : [];
    return { learningRate, bleu: record.bleu, losses };
  } catch (error) {
    if (error instanceof NonFiniteError || error instanceof LogitsError) return { learningRate, failed: error.message };
    throw error;
  }
}

function inWords(result: RateTry): string {
  if ("failed" in result) return `the training broke down (${result.failed})`;
  const { target, unrelated } = bleuAtEnd(result);
  return `BLEU target ${target.toFixed(2)}, unrelated ${unrelated.toFixed(2)}`;
}

/** Writes what was found for a method into the model's record. @returns its path in the folder */
async function keep(
  out: string,
  model: RecipeRecord["model"],
  method: string,
  found: { readonly recipe: ReturnType<typeof differences>; readonly evidence: RateEvidence },
): Promise<string> {
  const before = (await readRecords(`${out}/${FOUND_RECIPES}`)).find(
    ({ model: { sha256 } }) => sha256 === model.sha256,
  );
  const methods = { ...before?.methods, [method]: found };
  const path = `${FOUND_RECIPES}/${slug(model.name)}.json`;
  await writeInto(out, path, `${stringify({ model, methods } satisfies RecipeRecord, { maxLength: 120 })}\n`);
  return path;
}
