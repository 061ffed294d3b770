import type { Concept } from "@lethe/unlearn";
import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { tinyModels } from "../tiny/tiny-models.ts";
import { type PlannedCell, planCells } from "./cells.ts";
import { type ConceptFile, chooseConcepts, chooseMethods, choosePreset } from "./choose.ts";
import { ExperimentError } from "./errors.ts";
import { readModelKind } from "./model-kind.ts";
import { METHODS, PRESETS, type PresetName, presets } from "./presets.ts";
import { requireCells, runExperiment } from "./run-experiment.ts";
import type { OpenStudy } from "./types.ts";

/** What the command line is wired to; tests wire it to a study without a GPU. */
export interface CliParts {
  readonly openStudy: OpenStudy;
  readonly loadConcepts: (file: string) => Promise<Concept[]>;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
}

interface Options {
  preset: string;
  model: string[];
  data?: string;
  concept: string[];
  method: string[];
  cell: string[];
  out?: string;
  seed: number;
  resume?: true;
  listCells?: true;
}

const TINY_MODELS = Object.values(tinyModels);
const DEFAULT_MODELS = TINY_MODELS.map(({ directory }) => directory);
const COMMAND = "npm run experiment --";

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
    const planned = await plan(options, preset, parts);
    if (options.listCells) {
      parts.stdout.write(planned.map(({ id }) => `${id}\n`).join(""));
      return 0;
    }
    requireCells(planned, options.cell);
    return await runExperiment(planned, {
      only: options.cell,
      preset,
      seed: options.seed,
      out: options.out ?? `out/${preset}`,
      resume: options.resume ?? false,
      arguments: args,
      command: COMMAND,
      ...parts,
    });
  } catch (error) {
    // Commander has printed its own message, or the help that was asked for.
    if (error instanceof CommanderError) return error.exitCode;
    parts.stderr.write(`${explain(error)}\n`);
    return 1;
  }
}

function command(parts: CliParts): Command {
  const repeatable = (flags: string, description: string, fallback: string) =>
    new Option(flags, `${description}; may be repeated`)
      .argParser((value: string, previous: string[]) => [...previous, value])
      .default([], fallback);
  const conceptsOf = (name: PresetName) => {
    const { concepts } = presets[name];
    return concepts === "all" ? "all" : concepts.join(", ");
  };
  return new Command("experiment")
    .description(
      "Unlearns concepts from language models, restores m, W_V, A or m and A from the vanilla model layer by layer, and reports " +
        "what came back: one JSON file a cell (model × concept × method), krs.csv, figures and report.html.",
    )
    .option("--preset <name>", PRESETS.map((name) => `${name}: ${presets[name].description}`).join("; "), "default")
    .addOption(
      repeatable(
        "--model <directory>",
        "a model in Hugging Face's format, or org/name in its cache",
        DEFAULT_MODELS.join(", "),
      ),
    )
    .option(
      "--data <file>",
      `concepts in ConceptVectors' format (default: those of the model's family, ${TINY_MODELS.map(({ data }) => data).join(" or ")})`,
    )
    .addOption(repeatable("--concept <name>", "a concept to unlearn, by name or number", "the preset's"))
    .addOption(repeatable("--method <name>", METHODS.join(" or "), "the preset's"))
    .addOption(repeatable("--cell <id>", "run only this cell, as --list-cells prints it", "all"))
    .option("--out <directory>", "where results go (default: out/<preset>)")
    .option("--seed <number>", "decides the order of the training texts", parseSeed, 0)
    .option("--resume", "go on in a folder that is not empty; finished cells are skipped")
    .option("--list-cells", "print the cells, one a line, and do nothing else")
    .addHelpText(
      "after",
      () =>
        `\nConcepts, where a model's data hold them: ${PRESETS.map((name) => `${name}: ${conceptsOf(name)}`).join("; ")}.\n${SCHEDULING}`,
    )
    .allowExcessArguments(false)
    .showHelpAfterError("(--help lists the options)")
    .exitOverride()
    .configureOutput({
      writeOut: (text) => parts.stdout.write(text),
      writeErr: (text) => parts.stderr.write(text),
    });
}

const SCHEDULING = `
Cells are independent. To spread them, give each machine its share and the same other options:
  ${COMMAND} --list-cells
  ${COMMAND} --resume --out DIR --cell ID
The run that completes the folder writes the report; so does a last run of everything with --resume.`;

async function plan(options: Options, preset: PresetName, parts: CliParts): Promise<PlannedCell[]> {
  const methods = options.method.length > 0 ? chooseMethods(options.method) : presets[preset].methods;
  const files = new Map<string, ConceptFile>();
  const models: { directory: string; file: ConceptFile }[] = [];
  for (const directory of options.model.length > 0 ? options.model : DEFAULT_MODELS) {
    const path = options.data ?? tinyModels[(await readModelKind(directory)).family].data;
    const file = files.get(path) ?? { path, concepts: await parts.loadConcepts(path) };
    files.set(path, file);
    models.push({ directory, file });
  }
  const chosen = chooseConcepts(options.concept, preset, [...files.values()]);
  return planCells(
    models.map((model) => ({ ...model, chosen: chosen.get(model.file)! })),
    methods,
  );
}

function parseSeed(text: string): number {
  const seed = Number(text);
  if (!Number.isSafeInteger(seed) || seed < 0) throw new InvalidArgumentError("Expected a whole number from 0.");
  return seed;
}

/** The names under which JavaScript itself reports the faults of a program. */
const FAULTS = ["Error", "TypeError", "RangeError", "ReferenceError", "SyntaxError", "AssertionError"];

/** The message of an error that was written for people; the stack of any other, as it is a fault to be found. */
function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (FAULTS.includes(error.name)) return error.stack ?? error.message;
  // A cell's failure holds what it was; the cause that any other error holds is in its message.
  const { cause } = error;
  const fault = error instanceof ExperimentError && cause instanceof Error && FAULTS.includes(cause.name);
  return `error: ${error.message}${fault ? `\n${cause.stack}` : ""}`;
}
