import type { Decoder } from "@lethe/decoder";
import { openDevice, sketchDevice } from "@lethe/tensor";
import { methodNamed, methods, recipeSchema, retainConceptOf } from "@lethe/unlearn";
import { loadConcepts } from "@lethe/unlearn/data/node";
import { type Command, InvalidArgumentError, Option } from "commander";
import { presets } from "../../cells/presets.ts";
import { choicesOf, dimensions } from "../../plan/choices.ts";
import { largestWeight, parametersOf, planRows } from "../../plan/plan.ts";
import { measureRates } from "../../plan/rates.ts";
import { sketchModel } from "../../plan/sketch-model.ts";
import { textsOfConcept, textsOfLength } from "../../plan/texts.ts";
import type { Rates } from "../../plan/time.ts";
import type { RecipeChanges } from "../../recipes/fields.ts";
import { namesOf } from "../../recipes/names.ts";
import { bundled, bundledShapes } from "../bundled.ts";
import { checkingValues, commandLine, number, wholeFrom } from "../command-line.ts";
import { failure } from "../exit-codes.ts";
import { chooseConcepts } from "../experiment/choose.ts";
import { addRecipeOptions, recipeChangesOf } from "../experiment/recipe-options.ts";
import { showProgress } from "../progress.ts";
import { showBytes } from "../show-bytes.ts";
import { showRows } from "./show.ts";

/** Where the command prints. */
export interface PlanOutput {
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
}

interface Options {
  readonly model: string;
  readonly memory: number[];
  readonly method: string[];
  readonly texts?: number;
  readonly textTokens?: number;
  readonly flops?: number;
  readonly bandwidth?: number;
  readonly json?: true;
  readonly parts: boolean;
}

/** The method whose choices are planned where none is named. The others are planned under the first of them. */
const SHOWN = "npo+kl";

/** Texts of a concept in the bundled data. */
const TEXTS = 16;

/**
 * Runs `npm run plan`.
 * @param args the arguments after the program's name
 * @returns the exit code: 0, also where nothing fits; 78 for a wrong option or model; 1 for any other error
 */
export async function runPlan(args: readonly string[], { stdout, stderr }: PlanOutput): Promise<number> {
  const program = command()
    .exitOverride()
    .configureOutput({ writeOut: (text) => stdout.write(text), writeErr: (text) => stderr.write(text) });
  try {
    program.parse(args, { from: "user" });
    await plan(program, { stdout, stderr });
    return 0;
  } catch (error) {
    const { code, message } = failure(error);
    if (message) stderr.write(`${message}\n`);
    return code;
  }
}

async function plan(program: Command, { stdout, stderr }: PlanOutput): Promise<void> {
  const { model: place, memory: memories, method: named, json, parts, ...options } = program.opts<Options>();
  const changes = recipeChangesOf(program);
  const { epochs } = presets.paper;
  const { rates, source } = await ratesOf(options);
  const model = await sketchModel(sketchDevice(), bundledShapes[place] ?? place);
  const texts = await textsOf(model, changes, options);
  const given = Object.fromEntries(dimensions.map(({ name }) => [name, program.getOptionValue(name) as string[]]));
  const choices = choicesOf(given);
  const others = named.length > 0 ? [] : methods.filter(({ name }) => name !== SHOWN);
  const wanted = [
    ...(named.length > 0 ? named : [SHOWN]).flatMap((method) => choices.map((choice) => ({ method, choice }))),
    ...others.map(({ name: method }) => ({ method, choice: choices[0]! })),
  ];
  const display = json ? undefined : showProgress(stderr, wanted.length);
  const progress = (done: number, name: string) => display?.update(done, name);
  const rows = await planRows(model, { wanted, epochs, changes, texts, rates, progress }).finally(() =>
    display?.stop(),
  );
  const parameters = parametersOf(model);
  const largest = largestWeight(model);
  const about = { model: place, parameters, memory: memories, texts: texts.name, rates: { ...rates, source }, largest };
  if (json) {
    stdout.write(`${JSON.stringify({ ...about, rows }, null, 2)}\n`);
    return;
  }
  const dtypes = [...new Set(Array.from(model.weights.values(), ({ dtype }) => dtype))].join(" and ");
  stdout.write(
    `${[
      `${place}: ${parameters.toLocaleString("en-US")} parameters in ${dtypes}, with ${texts.name}.`,
      `Its largest weight, ${largest.name}, has ${showBytes(largest.bytes)}; where an adapter binds less at once, it is split by rows.`,
      `Time: at least what ${showRate(rates.flops, "FLOP")} and ${showRate(rates.bandwidth, "B")} allow, ${source}.`,
      "",
      showRows(rows, memories, parts),
    ].join("\n")}\n`,
  );
}

/** “16.6 GFLOP/s”, “3 TB/s” */
function showRate(perSecond: number, unit: string): string {
  const [prefix, divisor] = perSecond >= 1e12 ? ["T", 1e12] : ["G", 1e9];
  return `${Number((perSecond / divisor).toPrecision(3))} ${prefix}${unit}/s`;
}

/** The rates that were given, or those of this machine. */
async function ratesOf({ flops, bandwidth }: Pick<Options, "flops" | "bandwidth">): Promise<{
  readonly rates: Rates;
  readonly source: string;
}> {
  if (flops !== undefined && bandwidth !== undefined) return { rates: { flops, bandwidth }, source: "as given" };
  const device = await openDevice();
  try {
    const measured = await measureRates(device);
    const given = flops ?? bandwidth;
    const source = `measured here on ${device.adapterName}${given === undefined ? "" : ", but for what is given"}`;
    return { rates: { flops: flops ?? measured.flops, bandwidth: bandwidth ?? measured.bandwidth }, source };
  } finally {
    device.destroy();
  }
}

/** The texts of the first concept of the family's data, or texts as long as the recipe lets them be. */
async function textsOf(
  model: Decoder,
  { maxTokens = recipeSchema.shape.maxTokens.parse(undefined) }: RecipeChanges,
  { texts, textTokens }: Pick<Options, "texts" | "textTokens">,
) {
  const { evaluation } = presets.paper;
  if (!model.text || texts !== undefined || textTokens !== undefined)
    return textsOfLength(texts ?? TEXTS, textTokens ?? maxTokens, evaluation);
  const { data } = bundled[model.config.model_type === "llama" ? "llama" : "olmo"];
  const concepts = await loadConcepts(data);
  const [concept] = chooseConcepts([], "default", [{ path: data, concepts }])
    .values()
    .next().value!;
  return textsOfConcept(model, concept!, retainConceptOf(concepts, concepts.indexOf(concept!)), evaluation);
}

function command(): Command {
  const program = commandLine(
    "plan",
    "Says what unlearning a model takes before anything is loaded: for each method and choice the most memory that the device holds, by " +
      "part, whether it fits, and the time. It does the whole job on a device that computes nothing, and counts.",
  )
    .addOption(
      new Option(
        "--model <model>",
        "a directory, of which config.json is enough; a model on the Hugging Face Hub, of which no weights are fetched; or a shape: " +
          `${Object.keys(bundledShapes).join(", ")}`,
      ).makeOptionMandatory(),
    )
    .addOption(
      new Option(
        "--memory <bytes>",
        "bytes of the device's memory, such as 80e9; of several devices where it is repeated",
      )
        .argParser((value: string, previous: number[] = []) => [...previous, bytesOf(value)])
        .makeOptionMandatory(),
    )
    .addOption(
      repeated(
        "--method <name>",
        `${methods.map(({ name }) => name).join(", ")}; default: ${SHOWN}, and each other one under the first choice`,
        (name) => methodNamed(name).name,
      ),
    );
  for (const { name, description, values, open } of dimensions)
    program.addOption(
      repeated(`--${name} <value>`, `${description}: ${values.join(", ")}${open ? " or another" : ""}`, (value) => {
        if (open || values.includes(value)) return value;
        throw new InvalidArgumentError(`Expected ${values.join(", ")}.`);
      }),
    );
  program
    .option(
      "--texts <count>",
      `texts of each kind (default: those of a concept; ${TEXTS} where there is no tokenizer)`,
      wholeFrom(1),
    )
    .option(
      "--text-tokens <count>",
      "tokens of each text (default: what they have; --max-tokens where there is no tokenizer)",
      wholeFrom(2),
    )
    .option(
      "--flops <rate>",
      "floating-point operations a second of the device (default: this machine's, measured)",
      bytesOf,
    )
    .option("--bandwidth <rate>", "bytes a second of the device's memory (default: this machine's, measured)", bytesOf)
    .option("--no-parts", "leave out the parts of each row")
    .option("--json", "print all of it as JSON");
  addRecipeOptions(program, ({ values }) => namesOf(values) === undefined);
  return checkingValues(program);
}

/** An option that can be given more than once. */
function repeated(flags: string, description: string, read: (value: string) => string): Option {
  return new Option(flags, description)
    .argParser((value: string, previous: string[]) => [...previous, read(value)])
    .default([], "all of them");
}

function bytesOf(text: string): number {
  const value = number(text);
  if (value > 0 && value < Number.POSITIVE_INFINITY) return value;
  throw new InvalidArgumentError("Expected a number above 0.");
}
