import { join } from "node:path";
import { type Concept, type DataOptions, dataFormats, settings, trainedPart, trainedPartForms } from "@lethe/unlearn";
import { type Command, CommanderError, InvalidArgumentError, Option } from "commander";
import type { Cell } from "../../cells/cell.ts";
import type { Asking } from "../../cells/evaluation.ts";
import { parseTime } from "../../cells/forecast/budget.ts";
import { readModelFamily } from "../../cells/model-family.ts";
import { type ConceptFile, type PlanOptions, planCells } from "../../cells/plan.ts";
import { PRESETS, type PresetName, presets } from "../../cells/presets.ts";
import type { CellRunner } from "../../cells/run-cells.ts";
import type { KeepPolicy } from "../../cells/unfinished-cell.ts";
import { ExperimentError } from "../../errors.ts";
import { FOUND_RECIPES, readRecords } from "../../recipes/read-records.ts";
import type { Study } from "../../studies/study.ts";
import { subjects } from "../../subjects/list.ts";
import { bundled, bundledRecipes } from "../bundled.ts";
import { checkingValues, commandLine, number, share, wholeFrom } from "../command-line.ts";
import { explain } from "../explain.ts";
import { fetchModel } from "../fetch-model.ts";
import { addAskingOptions, askingOf } from "./asking.ts";
import { makeChoice, readChoice } from "./budget.ts";
import {
  ALL_STUDIES,
  chooseConcepts,
  chooseControls,
  choosePreset,
  chooseSettings,
  chooseStudies,
  controlKinds,
} from "./choose.ts";
import { findRates } from "./find-rates.ts";
import { publishedRates } from "./published-rates.ts";
import { addRecipeOptions, recipeChangesOf } from "./recipe-options.ts";
import { requireFolder, runExperiment } from "./run-experiment.ts";
import { Stopped, stoppable } from "./stop-signals.ts";
import { chooseStudyOptions, describeStudyOptions } from "./study-options.ts";

/** What the command line uses. Tests give a runner without a GPU. */
export interface CliParts {
  /** The studies that can be chosen. */
  readonly studies: readonly Study[];
  readonly openRunner: (studies: readonly Study[]) => Promise<CellRunner>;
  /** When unfinished work is kept. Default: as `runCells` does. */
  readonly keep?: KeepPolicy;
  readonly loadConcepts: (file: string, options: DataOptions) => Promise<Concept[]>;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  /** What was typed, for the record and for the command that resumes the run. Default: this command and its arguments. */
  readonly typed?: { readonly command: string; readonly arguments: readonly string[] };
}

interface Options extends Asking, DataOptions {
  preset: string;
  model: string[];
  data?: string;
  concept: string[];
  control: string[];
  study: string[];
  setting: string[];
  option: string[];
  cell: string[];
  out?: string;
  seed: number[];
  train: string[];
  findRate?: true | number[];
  targetBleu: number;
  budget?: string;
  resume?: true;
  listCells?: true;
  profile?: true;
}

const TINY_MODELS = Object.values(bundled);
const DEFAULT_MODELS = TINY_MODELS.map(({ directory }) => directory);
/** Optimiser steps of each try of --find-rate, where neither steps nor epochs are given. */
const TRY_STEPS = 12;
const COMMAND = "npm run experiment --";

/** For each kind of subject, the option that asks for it. */
const SUBJECT_OPTIONS = subjects.flatMap((subject) => {
  if (!subject.option) return [];
  const {
    kind,
    option: { flags, description },
  } = subject;
  return [{ kind, option: repeatable(flags, description, kind in presets.default.subjects ? "the preset's" : "none") }];
});

/**
 * Runs `npm run experiment`.
 * @param args the arguments after the program's name
 * @returns the exit code: 0, 1 for an error, 130 after Ctrl-C, 143 after SIGTERM
 */
export async function runCli(args: readonly string[], parts: CliParts): Promise<number> {
  const { typed = { command: COMMAND, arguments: args } } = parts;
  const program = experimentCommand(parts);
  try {
    program.parse(args, { from: "user" });
    const options = program.opts<Options>();
    const preset = choosePreset(options.preset);
    const studies = chooseStudies(options.study.length > 0 ? options.study : presets[preset].studies, parts.studies);
    const wanted = SUBJECT_OPTIONS.map(({ kind, option }) => {
      return [kind, program.getOptionValue(option.attributeName()) as string[]] as const;
    });
    // An option for subjects replaces all of the preset's.
    const chosen = wanted.some(([, values]) => values.length > 0)
      ? Object.fromEntries(wanted)
      : presets[preset].subjects;
    const out = options.out ?? `out/${preset}`;
    const records = [...(await readRecords(bundledRecipes)), ...(await readRecords(join(out, FOUND_RECIPES)))];
    const asked = recipeChangesOf(program);
    const tries = options.findRate && asked.steps === undefined && asked.epochs === undefined && { steps: TRY_STEPS };
    const recipes = { records, changes: { ...asked, ...tries } };
    const asking = askingOf(options);
    const studyOptions = chooseStudyOptions(options.option, studies);
    const planOptions = {
      preset,
      seeds: options.seed.length > 0 ? options.seed : presets[preset].seeds,
      train: options.train,
      subjects: { ...chosen, ...chooseControls(options.control, preset) },
      studies,
      studyOptions: {
        ...studyOptions,
        ...(options.setting.length > 0 && {
          restoration: { ...studyOptions.restoration, settings: chooseSettings(options.setting) },
        }),
      },
      recipes,
      asking,
      references: new Map(),
    };
    let choice = options.resume || options.listCells ? await readChoice(out, options.budget) : undefined;
    let cells = await plan(options, { ...planOptions, choice }, parts);
    let { openRunner } = parts;
    if (options.budget !== undefined && !choice && cells[0]) {
      if (options.listCells)
        throw new ExperimentError(`The cells of a budget are known when a run into ${out} has begun with it.`);
      await requireFolder(out, options.resume);
      const runner = await parts.openRunner(studies);
      openRunner = async () => runner;
      const { budget } = options;
      const measuring = (signal: AbortSignal) =>
        makeChoice(cells[0]!, { ...parts, out, budget, runner, studies, signal });
      const onStop = () => parts.stderr.write("Stopping; press Ctrl-C again to stop at once. Nothing was begun.\n");
      choice = await stoppable(measuring, onStop).catch(async (error) => {
        await runner.close();
        throw error;
      });
      cells = await plan(options, { ...planOptions, choice }, parts);
    }
    if (options.listCells) {
      parts.stdout.write(cells.map(({ id }) => `${id}\n`).join(""));
      return 0;
    }
    if (options.findRate) {
      const grid = options.findRate === true ? undefined : options.findRate;
      return await findRates(cells, {
        ...parts,
        search: { grid, targetBleu: options.targetBleu },
        out,
        command: [COMMAND, ...args].join(" "),
        openRunner: () => parts.openRunner(studies),
      });
    }
    for (const line of publishedRates(cells, recipes)) parts.stdout.write(`${line}\n`);
    return await runExperiment(cells, {
      ...parts,
      openRunner,
      only: options.cell,
      out,
      resume: options.resume ?? false,
      profile: options.profile,
      begun: choice !== undefined,
      ...typed,
    });
  } catch (error) {
    if (error instanceof Stopped) return error.exitCode;
    // Commander has printed its message, or the help, itself.
    if (error instanceof CommanderError) return error.exitCode;
    parts.stderr.write(`${explain(error)}\n`);
    return 1;
  }
}

/** Refuses what is no time. The text is kept: it is compared with that of the run that is resumed. */
function budgetOf(text: string): string {
  if (parseTime(text) === undefined) throw new InvalidArgumentError("Expected a time such as 90s, 30m or 1h30m.");
  return text;
}

function repeatable<T = string>(
  flags: string,
  description: string,
  fallback: string,
  read: (text: string) => T = (text) => text as T,
): Option {
  return new Option(flags, `${description}; may be repeated`)
    .argParser((value: string, previous: T[]) => [...previous, read(value)])
    .default([], fallback);
}

/** Refuses what is no part of a model that can be trained. */
function partOf(text: string): string {
  try {
    trainedPart(text);
    return text;
  } catch (error) {
    throw new InvalidArgumentError(`${(error as Error).message}.`);
  }
}

/** The command line of `npm run experiment`, with all its options. */
export function experimentCommand(parts: Pick<CliParts, "studies" | "stdout" | "stderr">): Command {
  const studies = [...parts.studies.map(({ name, title }) => `${name}: ${title}`), `${ALL_STUDIES}: every one`].join(
    "; ",
  );
  const conceptsOf = (name: PresetName) => {
    const { concepts } = presets[name];
    return concepts === "all" ? "all" : concepts.join(", ");
  };
  const program = commandLine(
    "experiment",
    "Makes language models unlearn concepts, measures with studies what is left of the knowledge, and reports it: one JSON file a " +
      "cell (model × concept × unlearned model × seed), tables as CSV, figures and report.html.",
  )
    .option("--preset <name>", PRESETS.map((name) => `${name}: ${presets[name].description}`).join("; "), "default")
    .addOption(
      repeatable(
        "--model <model>",
        "a model in Hugging Face's format, or org/name on its Hub",
        DEFAULT_MODELS.join(", "),
      ),
    )
    .option(
      "--data <file>",
      `what is to be forgotten, as JSON or JSON lines (default: the concepts of the model's family, ${TINY_MODELS.map(({ data }) => data).join(" or ")})`,
    )
    .option(
      "--format <name>",
      `the format of the data: ${dataFormats.map(({ name, description }) => `${name} (${description})`).join(", ")}; default: recognised`,
    )
    .option(
      "--unrelated <file>",
      "other questions and answers, in any of these formats: the unrelated questions, and what is retained. Needed where the data have none " +
        "of their own, as those of TOFU, MUSE and WMDP",
    )
    .addOption(repeatable("--concept <name>", "a concept to unlearn, by name or number", "the preset's"));
  for (const { option } of SUBJECT_OPTIONS) program.addOption(option);
  const controls = controlKinds.map(({ kind, description }) => `${kind}: ${description}`);
  program.addOption(repeatable("--control <name>", `${controls.join("; ")}; none: no control`, "the preset's"));
  program
    .addOption(
      repeatable(
        "--train <part>",
        `what a method trains: ${trainedPartForms}. all: every weight; W_V: the value vectors of every layer; needle: one value vector; ` +
          "lora: an update of this rank of every projection, which is in the weights when the model is measured",
        "every weight, or those that the method names",
        partOf,
      ),
    )
    .addOption(
      new Option(
        "--find-rate [rates]",
        "look for the learning rate of each model and method on the first concept, keep it in the folder of results, where an " +
          `experiment with the same --out finds it, and do nothing else. Each try has ${TRY_STEPS} steps, or those of --steps or ` +
          "--epochs. The rates are tried in turn, such as 1e-5,1e-4; without them the search goes up or down from the rate that an " +
          "experiment would take",
      ).argParser(readRates),
    )
    .option("--target-bleu <bleu>", "BLEU on the target questions that --find-rate is to reach, or less", share, 0.1);
  addRecipeOptions(program);
  addAskingOptions(program, presets.default.evaluation.leastQuestions)
    .addOption(repeatable("--study <name>", studies, "the preset's"))
    .addOption(
      repeatable(
        "--setting <name>",
        `what the restoration study puts back: ${settings.map(({ name }) => name).join(", ")}; an isolated one holds all else at the ` +
          "unlearned model's own values",
        "the preset's",
      ),
    )
    .addOption(
      repeatable(
        "--option <study.name=value>",
        `an option of a study; a list is JSON. Without the preset's changes: ${describeStudyOptions(parts.studies)}`,
        "the preset's",
      ),
    )
    .addOption(repeatable("--cell <id>", "run only this cell, as --list-cells prints it", "all"))
    .option("--out <directory>", "where results go (default: out/<preset>)")
    .addOption(
      repeatable(
        "--seed <number>",
        "decides the order of the training texts and where low-rank updates start",
        `the preset's; ${PRESETS.map((name) => `${name}: ${presets[name].seeds.join(", ")}`).join("; ")}`,
        wholeFrom(0),
      ),
    )
    .option(
      "--budget <time>",
      "such as 30m or 1h30m: chooses steps, questions and window stride so that a cell takes no longer",
      budgetOf,
    )
    .option(
      "--resume",
      "go on in a folder that is not empty; finished cells are not run again, and a long one goes on where it was",
    )
    .option(
      "--profile",
      "also write profile.json, and print it: how long each kernel takes in each stage. It counts the device's work, and times it when " +
        "the cells are done, which takes a while longer",
    )
    .option("--list-cells", "print the cells, one a line, and do nothing else")
    .addHelpText(
      "after",
      () =>
        `\nConcepts, where a model's data hold them: ${PRESETS.map((name) => `${name}: ${conceptsOf(name)}`).join("; ")}.\n${SCHEDULING}`,
    )
    .exitOverride()
    .configureOutput({
      writeOut: (text) => parts.stdout.write(text),
      writeErr: (text) => parts.stderr.write(text),
    });
  return checkingValues(program);
}

function readRates(text: string): number[] {
  return text.split(",").map((each) => {
    const rate = number(each);
    if (rate > 0 && rate < Number.POSITIVE_INFINITY) return rate;
    throw new InvalidArgumentError("Expected learning rates above 0, with commas between them.");
  });
}

const SCHEDULING = `
Cells are independent. To spread them over machines, give each one its share, and all the same other options:
  ${COMMAND} --list-cells
  ${COMMAND} --resume --out DIR --cell ID
A noise control needs the finished cell of the model that it matches, which is listed before it.
The run that finishes the last cell writes the report, and so does any later run with --resume.`;

async function plan(options: Options, planOptions: PlanOptions, parts: CliParts): Promise<Cell[]> {
  const { format, unrelated } = options;
  const files = new Map<string, ConceptFile>();
  const models: { directory: string; file: ConceptFile }[] = [];
  for (const directory of options.model.length > 0 ? options.model : DEFAULT_MODELS) {
    await fetchModel(directory, parts.stderr);
    const family = await readModelFamily(directory);
    const path = options.data ?? bundled[family].data;
    const file = files.get(path) ?? { path, concepts: await parts.loadConcepts(path, { format, unrelated }) };
    files.set(path, file);
    models.push({ directory, file });
  }
  const chosen = chooseConcepts(options.concept, planOptions.preset, [...files.values()]);
  const planned = models.map((model) => ({ ...model, concepts: chosen.get(model.file)! }));
  return planCells(planned, planOptions);
}
