import { type DataOptions, dataFormats, settings, trainedPart, trainedPartForms } from "@lethe/unlearn";
import { type Command, InvalidArgumentError, Option } from "commander";
import type { Asking } from "../../cells/evaluation.ts";
import { parseTime } from "../../cells/forecast/budget.ts";
import { PRESETS, type PresetName, presets } from "../../cells/presets.ts";
import { subjects } from "../../subjects/list.ts";
import { VANILLA_PLACES, type VanillaPlace } from "../../subjects/vanilla/vanilla.ts";
import { bundled } from "../bundled.ts";
import { checkingValues, commandLine, number, share, wholeFrom } from "../command-line.ts";
import { addAskingOptions } from "./asking.ts";
import { ALL_STUDIES, controlKinds } from "./choose.ts";
import type { CliParts } from "./cli-parts.ts";
import { addRecipeOptions } from "./recipe-options.ts";
import { describeStudyOptions } from "./study-options.ts";

/** What was typed, as the command line gives it. */
export interface Options extends Asking, DataOptions {
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
  json?: true;
  plan?: string;
  measure?: true;
  cellIndex?: number;
  report?: true;
  profile?: true;
  vanilla: VanillaPlace;
}

/** Options that say what this process does, and decide nothing of the results. */
export const PROCESS_OPTIONS: readonly string[] = [
  ...["--cell", "--cell-index", "--out", "--resume", "--profile", "--vanilla"],
  ...["--plan", "--measure", "--list-cells", "--json", "--report"],
];

const TINY_MODELS = Object.values(bundled);
export const DEFAULT_MODELS = TINY_MODELS.map(({ directory }) => directory);
/** Optimiser steps of each try of --find-rate, where neither steps nor epochs are given. */
export const TRY_STEPS = 12;
export const COMMAND = "npm run experiment --";

/** For each kind of subject, the option that asks for it. */
export const SUBJECT_OPTIONS = subjects.flatMap((subject) => {
  if (!subject.option) return [];
  const {
    kind,
    option: { flags, description },
  } = subject;
  return [{ kind, option: repeatable(flags, description, kind in presets.default.subjects ? "the preset's" : "none") }];
});

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
    .addOption(
      new Option(
        "--vanilla <place>",
        "where the vanilla model is while a copy is trained and measured. device: beside it, in its dtypes on disk; streamed: in its files, " +
          "from which its run is recorded block by block. The results are the same, to the bit; some studies need it on the device",
      )
        .choices(VANILLA_PLACES)
        .default("device"),
    )
    .option("--list-cells", "print the cells, one a line, and do nothing else")
    .option(
      "--json",
      "with --list-cells: as JSON, with index, file, state, the cell that it needs, and what it takes where that was measured",
    )
    .option(
      "--plan <file>",
      "freezes the list of cells in a file. Where the file is there, it decides the cells, and needs no other options. Models are hashed " +
        "once for it",
    )
    .option(
      "--measure",
      "with a new --plan: measure steps and passes of each model here, and forecast what each cell takes",
    )
    .addOption(
      new Option(
        "--cell-index [number]",
        `run only the cell of this index, and write no report. Without a number it is taken from ${TASK_NUMBERS.map(({ variable, first }) => (first === 0 ? variable : `${variable} − ${first}`)).join(", ")}`,
      )
        .preset("")
        .argParser(cellIndexOf),
    )
    .option(
      "--report",
      "write the report of the cells that are finished, name those that are missing, and do nothing else",
    )
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

/** How schedulers number the tasks of an array, and with which number they begin. */
const TASK_NUMBERS = [
  { variable: "SLURM_ARRAY_TASK_ID", first: 0 },
  { variable: "JOB_COMPLETION_INDEX", first: 0 },
  { variable: "PARALLEL_SEQ", first: 1 },
];

function cellIndexOf(text: string): number {
  const read = wholeFrom(0);
  if (text !== "") return read(text);
  for (const { variable, first } of TASK_NUMBERS) {
    const number = process.env[variable];
    if (number !== undefined) return read(String(Number(number) - first));
  }
  throw new InvalidArgumentError(
    `Give a number, or one of ${TASK_NUMBERS.map(({ variable }) => variable).join(", ")} in the environment.`,
  );
}

function readRates(text: string): number[] {
  return text.split(",").map((each) => {
    const rate = number(each);
    if (rate > 0 && rate < Number.POSITIVE_INFINITY) return rate;
    throw new InvalidArgumentError("Expected learning rates above 0, with commas between them.");
  });
}

const SCHEDULING = `
Cells are independent. To spread them over machines, freeze their list, and give each task its index (docs/cluster.md):
  ${COMMAND} --plan plan.json --list-cells
  ${COMMAND} --plan plan.json --cell-index N
  ${COMMAND} --plan plan.json --report
A noise control needs the finished cell of the model that it matches, which comes before it.
Exit codes: 0 done, now or before; 75 try again; 78 a wrong option, file or folder; 130, 143 stopped; 1 any other failure.`;
