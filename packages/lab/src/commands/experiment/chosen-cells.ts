import { join } from "node:path";
import type { Command } from "commander";
import type { Cell } from "../../cells/cell.ts";
import type { Choice } from "../../cells/forecast/budget.ts";
import { readModelFamily } from "../../cells/model-family.ts";
import { type ConceptFile, type PlanOptions, planCells } from "../../cells/plan.ts";
import { presets } from "../../cells/presets.ts";
import { FOUND_RECIPES, readRecords } from "../../recipes/read-records.ts";
import type { Study } from "../../studies/study.ts";
import { bundled, bundledRecipes } from "../bundled.ts";
import { fetchModel } from "../fetch-model.ts";
import { askingOf } from "./asking.ts";
import { chooseConcepts, chooseControls, choosePreset, chooseSettings, chooseStudies } from "./choose.ts";
import type { CliParts } from "./cli-parts.ts";
import { DEFAULT_MODELS, type Options, SUBJECT_OPTIONS, TRY_STEPS } from "./command.ts";
import { recipeChangesOf } from "./recipe-options.ts";
import { chooseStudyOptions } from "./study-options.ts";

/** What a command line asks for. */
export interface Chosen {
  readonly options: Options;
  /** Where results go. */
  readonly out: string;
  readonly studies: readonly Study[];
  readonly recipes: PlanOptions["recipes"];
  /** Models by where they are, with their hashes. It grows as models are read. */
  readonly references: NonNullable<PlanOptions["references"]>;
  /** The cells, with the numbers that a budget chose, where there is one. */
  cells(choice?: Choice): Promise<Cell[]>;
}

/**
 * Reads what was typed.
 * @param references models that were hashed before
 * @throws ExperimentError when an option names what there is not
 */
export async function chosenBy(
  program: Command,
  references: Chosen["references"],
  parts: Pick<CliParts, "studies" | "loadConcepts" | "stderr">,
): Promise<Chosen> {
  const options = program.opts<Options>();
  const preset = choosePreset(options.preset);
  const studies = chooseStudies(options.study.length > 0 ? options.study : presets[preset].studies, parts.studies);
  const wanted = SUBJECT_OPTIONS.map(({ kind, option }) => {
    return [kind, program.getOptionValue(option.attributeName()) as string[]] as const;
  });
  // An option for subjects replaces all of the preset's.
  const subjects = wanted.some(([, values]) => values.length > 0)
    ? Object.fromEntries(wanted)
    : presets[preset].subjects;
  const out = options.out ?? `out/${preset}`;
  const records = [...(await readRecords(bundledRecipes)), ...(await readRecords(join(out, FOUND_RECIPES)))];
  const asked = recipeChangesOf(program);
  const tries = options.findRate && asked.steps === undefined && asked.epochs === undefined && { steps: TRY_STEPS };
  const recipes = { records, changes: { ...asked, ...tries } };
  const studyOptions = chooseStudyOptions(options.option, studies);
  const planOptions = {
    preset,
    seeds: options.seed.length > 0 ? options.seed : presets[preset].seeds,
    train: options.train,
    subjects: { ...subjects, ...chooseControls(options.control, preset) },
    studies,
    studyOptions: {
      ...studyOptions,
      ...(options.setting.length > 0 && {
        restoration: { ...studyOptions.restoration, settings: chooseSettings(options.setting) },
      }),
    },
    recipes,
    asking: askingOf(options),
    references,
  };
  const cells = (choice?: Choice) => plan(options, { ...planOptions, choice }, parts);
  return { options, out, studies, recipes, references, cells };
}

async function plan(
  options: Options,
  planOptions: PlanOptions,
  { loadConcepts, stderr }: Pick<CliParts, "loadConcepts" | "stderr">,
): Promise<Cell[]> {
  const { format, unrelated } = options;
  const files = new Map<string, ConceptFile>();
  const models: { directory: string; file: ConceptFile }[] = [];
  for (const directory of options.model.length > 0 ? options.model : DEFAULT_MODELS) {
    await fetchModel(directory, stderr);
    const family = await readModelFamily(directory);
    const path = options.data ?? bundled[family].data;
    const file = files.get(path) ?? { path, concepts: await loadConcepts(path, { format, unrelated }) };
    files.set(path, file);
    models.push({ directory, file });
  }
  const chosen = chooseConcepts(options.concept, planOptions.preset, [...files.values()]);
  const planned = models.map((model) => ({ ...model, concepts: chosen.get(model.file)! }));
  return planCells(planned, planOptions);
}
