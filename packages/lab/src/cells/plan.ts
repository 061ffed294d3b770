import { cachedModelName, type ModelPlace } from "@lethe/decoder";
import { type Concept, type Method, retainConceptOf } from "@lethe/unlearn";
import { absolutePath } from "#paths";
import { ExperimentError } from "../errors.ts";
import { chooseRecipe, type RecipeSources } from "../recipes/choose.ts";
import type { Study } from "../studies/study.ts";
import { type SubjectChoice, subjectKind, subjects } from "../subjects/list.ts";
import type { Sources } from "../subjects/subject.ts";
import { type Cell, cellId, configSchema, stemOf } from "./cell.ts";
import { type Asking, evaluationOf } from "./evaluation.ts";
import type { Choice } from "./forecast/budget.ts";
import { identifyData, identifyModel } from "./identity.ts";
import { readModelSizes } from "./model-family.ts";
import { type PresetName, presets } from "./presets.ts";

/** A data file and its concepts, in the order of the file. */
export interface ConceptFile {
  readonly path: string;
  readonly concepts: readonly Concept[];
}

/** A vanilla model and the concepts of a data file to be unlearned. */
export interface PlannedModel {
  /** A directory, or a model's name on the Hugging Face Hub. */
  readonly directory: ModelPlace;
  readonly file: ConceptFile;
  readonly concepts: readonly Concept[];
}

export interface PlanOptions {
  readonly preset: PresetName;
  /** Each subject is made once for each of them, where a seed decides anything of it. */
  readonly seeds: readonly number[];
  /** For each kind of subject, the values of its option; for a control that is asked for, its kind's name. */
  readonly subjects: Readonly<Record<string, readonly string[]>>;
  /** What is trained, by names of `trainedPart`: a subject for each. Default: what each method trains. */
  readonly train?: readonly string[];
  /** The studies to be run on every subject. */
  readonly studies: readonly Study[];
  /** Options of studies, by the study's name, where they differ from the preset's. */
  readonly studyOptions?: Readonly<Record<string, object>>;
  readonly recipes: RecipeSources;
  /** How models are asked and judged, as far as it was chosen. */
  readonly asking?: Asking;
  /** Models that were hashed before, by their directories: a second plan of a run does not read them again. Default: none. */
  readonly references?: Map<ModelPlace, ReturnType<typeof modelReference>>;
  /** The numbers that a budget chose. */
  readonly choice?: Choice | undefined;
}

/**
 * The cells of an experiment, ordered by model, then concept, then subject, then seed. Each model is read and hashed once.
 * @throws ExperimentError when there is no second concept to take retain text from, when two cells have one name, or when there is no
 * chat template where one is asked for
 */
export async function planCells(models: readonly PlannedModel[], options: PlanOptions): Promise<Cell[]> {
  const { seeds, train = [], studies, recipes, asking = {}, choice, references = new Map() } = options;
  const { epochs, evaluation: breadth, studyOptions } = presets[options.preset];
  const schema = configSchema(studies);
  const reference = (directory: ModelPlace) => {
    if (!references.has(directory)) references.set(directory, modelReference(directory));
    return references.get(directory)!;
  };
  const cells: Cell[] = [];
  for (const { directory, file, concepts } of models) {
    if (file.concepts.length < 2 && !file.concepts[0]?.retain)
      throw new ExperimentError(
        `${file.path} holds only ${file.concepts[0]?.name}. Retain text is another concept's, so at least two are needed.`,
      );
    const model = await reference(directory);
    const evaluation = await evaluationOf(directory, breadth, asking);
    for (const concept of concepts) {
      const retain = retainConceptOf(file.concepts, file.concepts.indexOf(concept));
      const controlled: Cell["config"]["subject"][] = [];
      const planning = {
        model: directory,
        data: { ...file, sha256: identifyData(file.concepts) },
        controlled,
        recipe: (method: Method, train?: string) => chooseRecipe(method, model.sha256, epochs, recipes, train),
        train: [...new Set(train)],
        sizes: () => readModelSizes(directory),
        models: models.map((model) => model.directory),
        retain: conceptReference(retain),
        reference,
      };
      for (const kind of subjects) {
        const all: readonly Chosen[] = await kind.choose(options.subjects[kind.kind] ?? [], planning);
        for (const { seed, ...chosen } of withSeeds(all, seeds)) {
          const config = schema.parse({
            seed,
            model,
            concept: conceptReference(concept),
            evaluation: choice
              ? { ...evaluation, ...pick(choice, "targetQuestions", "unrelatedQuestions") }
              : evaluation,
            subject: choice ? shortened(chosen.config, choice) : chosen.config,
            studies: Object.fromEntries(
              studies.map(({ name }) => [
                name,
                { ...studyOptions[name], ...options.studyOptions?.[name], ...(choice?.studies[name] as object) },
              ]),
            ),
          });
          const sources = { model: directory, concept, retain, ...chosen.sources };
          cells.push({ id: cellId(config), config, sources });
          if (!kind.control && seed === seeds[0]) controlled.push(config.subject);
        }
      }
    }
  }
  requireDifferentNames(cells);
  return cells;
}

/** A subject that was asked for. */
interface Chosen {
  readonly config: SubjectChoice;
  readonly sources?: Partial<Sources>;
}

/** Each subject with each seed, or with the first where no seed decides anything of it, or of the one that it is made to match. */
function withSeeds(chosen: readonly Chosen[], seeds: readonly number[]): (Chosen & { readonly seed: number })[] {
  return chosen.flatMap((subject) => {
    const kind = subjectKind(subject.config);
    const matched = kind.control?.matches?.(subject.config) as SubjectChoice | undefined;
    const unseeded = kind.unseeded || (matched && subjectKind(matched).unseeded);
    return Array.from(new Set(unseeded ? seeds.slice(0, 1) : seeds), (seed) => ({ ...subject, seed }));
  });
}

function pick<K extends Exclude<keyof Choice, "studies">>(choice: Choice, ...fields: readonly K[]) {
  return Object.fromEntries(fields.map((field) => [field, choice[field]]));
}

/** A subject whose training, where it has one, is as long as a budget chose. */
function shortened(subject: object, choice: Choice): object {
  if (!("training" in subject)) return subject;
  return {
    ...subject,
    training: { ...(subject.training as object), steps: null, ...pick(choice, "epochs", "stepsPerEpoch") },
  };
}

function requireDifferentNames(cells: readonly Cell[]): void {
  const taken = new Map<string, Cell>();
  for (const cell of cells) {
    // Cells of several seeds differ in their hashes alone.
    const name = `${stemOf(cell.id)} ${cell.config.seed}`;
    const other = taken.get(name);
    taken.set(name, cell);
    if (other)
      throw new ExperimentError(
        `Two cells are called ${stemOf(cell.id)}. Models are named by the last part of their directory, and concepts by their name. ` +
          "Rename one, or use different --out folders.",
      );
  }
}

/** The name of a model: that of its directory, or of its repository where it is in a Hugging Face cache. */
function nameOf(model: ModelPlace): string {
  const path = typeof model === "string" ? (cachedModelName(model) ?? absolutePath(model)) : model.name;
  const name = path
    .replace(/[/\\]+$/, "")
    .split(/[/\\]/)
    .at(-1)!;
  // The folder of a repository is called org/name@commit.
  return typeof model === "string" ? name : name.split("@")[0]!;
}

/** A model by its name and its hash, for which all of its files are read. */
export async function modelReference(directory: ModelPlace) {
  return { name: nameOf(directory), sha256: await identifyModel(directory) };
}

function conceptReference(concept: Concept) {
  return { id: concept.id, name: concept.name, sha256: identifyData(concept) };
}
