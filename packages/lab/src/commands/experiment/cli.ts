import type { Concept } from "@lethe/unlearn";
import { type Command, CommanderError, Option } from "commander";
import type { Cell } from "../../cells/cell.ts";
import { readModelKind } from "../../cells/model-kind.ts";
import { type ConceptFile, type PlanOptions, planCells } from "../../cells/plan.ts";
import { PRESETS, type PresetName, presets } from "../../cells/presets.ts";
import type { CellRunner } from "../../cells/run-cells.ts";
import type { KeepPolicy } from "../../cells/unfinished-cell.ts";
import type { Study } from "../../studies/study.ts";
import { subjects } from "../../subjects/list.ts";
import { bundled } from "../bundled.ts";
import { checkingValues, commandLine, wholeFrom } from "../command-line.ts";
import { explain } from "../explain.ts";
import { chooseConcepts, choosePreset, chooseStudies } from "./choose.ts";
import { runExperiment } from "./run-experiment.ts";

/** What the command line uses. Tests give a runner without a GPU. */
export interface CliParts {
  /** The studies that can be chosen. */
  readonly studies: readonly Study[];
  readonly openRunner: (studies: readonly Study[]) => Promise<CellRunner>;
  /** When unfinished work is kept. Default: as `runCells` does. */
  readonly keep?: KeepPolicy;
  readonly loadConcepts: (file: string) => Promise<Concept[]>;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
}

interface Options {
  preset: string;
  model: string[];
  data?: string;
  concept: string[];
  study: string[];
  cell: string[];
  out?: string;
  seed: number;
  resume?: true;
  listCells?: true;
}

const TINY_MODELS = Object.values(bundled);
const DEFAULT_MODELS = TINY_MODELS.map(({ directory }) => directory);
const COMMAND = "npm run experiment --";

/** For each kind of subject, the option that asks for it. */
const SUBJECT_OPTIONS = subjects.map(({ kind, option: { flags, description } }) => {
  return { kind, option: repeatable(flags, description, kind in presets.default.subjects ? "the preset's" : "none") };
});

/**
 * Runs `npm run experiment`.
 * @param args the arguments after the program's name
 * @returns the exit code: 0, 1 for an error, 130 after Ctrl-C, 143 after SIGTERM
 */
export async function runCli(args: readonly string[], parts: CliParts): Promise<number> {
  const program = command(parts);
  try {
    program.parse(args, { from: "user" });
    const options = program.opts<Options>();
    const preset = choosePreset(options.preset);
    const studies = chooseStudies(options.study.length > 0 ? options.study : presets[preset].studies, parts.studies);
    const asked = SUBJECT_OPTIONS.map(({ kind, option }) => {
      return [kind, program.getOptionValue(option.attributeName()) as string[]] as const;
    });
    // An option for subjects replaces all of the preset's.
    const chosen = asked.some(([, values]) => values.length > 0) ? Object.fromEntries(asked) : presets[preset].subjects;
    const cells = await plan(options, { preset, seed: options.seed, subjects: chosen, studies }, parts);
    if (options.listCells) {
      parts.stdout.write(cells.map(({ id }) => `${id}\n`).join(""));
      return 0;
    }
    return await runExperiment(cells, {
      ...parts,
      only: options.cell,
      out: options.out ?? `out/${preset}`,
      resume: options.resume ?? false,
      arguments: args,
      command: COMMAND,
    });
  } catch (error) {
    // Commander has printed its message, or the help, itself.
    if (error instanceof CommanderError) return error.exitCode;
    parts.stderr.write(`${explain(error)}\n`);
    return 1;
  }
}

function repeatable(flags: string, description: string, fallback: string): Option {
  return new Option(flags, `${description}; may be repeated`)
    .argParser((value: string, previous: string[]) => [...previous, value])
    .default([], fallback);
}

function command(parts: CliParts): Command {
  const studies = parts.studies.map(({ name, title }) => `${name}: ${title}`).join("; ");
  const conceptsOf = (name: PresetName) => {
    const { concepts } = presets[name];
    return concepts === "all" ? "all" : concepts.join(", ");
  };
  const program = commandLine(
    "experiment",
    "Makes language models unlearn concepts, measures with studies what is left of the knowledge, and reports it: one JSON file a " +
      "cell (model × concept × unlearned model), krs.csv, figures and report.html.",
  )
    .option("--preset <name>", PRESETS.map((name) => `${name}: ${presets[name].description}`).join("; "), "default")
    .addOption(
      repeatable(
        "--model <model>",
        "a model in Hugging Face's format, or org/name in its cache",
        DEFAULT_MODELS.join(", "),
      ),
    )
    .option(
      "--data <file>",
      `concepts in ConceptVectors' format (default: those of the model's family, ${TINY_MODELS.map(({ data }) => data).join(" or ")})`,
    )
    .addOption(repeatable("--concept <name>", "a concept to unlearn, by name or number", "the preset's"));
  for (const { option } of SUBJECT_OPTIONS) program.addOption(option);
  program
    .addOption(repeatable("--study <name>", studies, "the preset's"))
    .addOption(repeatable("--cell <id>", "run only this cell, as --list-cells prints it", "all"))
    .option("--out <directory>", "where results go (default: out/<preset>)")
    .option("--seed <number>", "decides the order of the training texts", wholeFrom(0), 0)
    .option(
      "--resume",
      "go on in a folder that is not empty; finished cells are not run again, and a long one goes on where it was",
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

const SCHEDULING = `
Cells are independent. To spread them over machines, give each one its share, and all the same other options:
  ${COMMAND} --list-cells
  ${COMMAND} --resume --out DIR --cell ID
The run that finishes the last cell writes the report, and so does any later run with --resume.`;

async function plan(options: Options, planOptions: PlanOptions, parts: CliParts): Promise<Cell[]> {
  const files = new Map<string, ConceptFile>();
  const models: { directory: string; file: ConceptFile }[] = [];
  for (const directory of options.model.length > 0 ? options.model : DEFAULT_MODELS) {
    const path = options.data ?? bundled[(await readModelKind(directory)).family].data;
    const file = files.get(path) ?? { path, concepts: await parts.loadConcepts(path) };
    files.set(path, file);
    models.push({ directory, file });
  }
  const chosen = chooseConcepts(options.concept, planOptions.preset, [...files.values()]);
  const planned = models.map((model) => ({ ...model, concepts: chosen.get(model.file)! }));
  return planCells(planned, planOptions);
}
