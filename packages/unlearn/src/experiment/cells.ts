import { basename, resolve } from "node:path";
import type { Concept } from "../data/concepts.ts";
import { retainConceptOf } from "../data/paragraphs.ts";
import { ExperimentError } from "./errors.ts";
import { identifyData, identifyModel } from "./identity.ts";
import { type Method, type PresetName, presets, recipeFor, trainingRecipe } from "./presets.ts";
import { slug } from "./slug.ts";
import type { Cell } from "./types.ts";

/** A cell as far as it is known without reading the model. */
export interface PlannedCell {
  readonly id: string;
  readonly modelName: string;
  readonly modelDirectory: string;
  readonly concept: Concept;
  readonly retain: Concept;
  readonly method: Method;
}

/**
 * The cells of an experiment, model by model, within a model concept by concept, within a concept method by method.
 *
 * @param models directories; a model is named after its directory
 * @param concepts all concepts of the data file, in its order
 * @param chosen those of them to unlearn
 * @throws ExperimentError when two cells would share a result file, or no concept is left to take retain text from
 */
export function planCells(
  models: readonly string[],
  concepts: readonly Concept[],
  chosen: readonly Concept[],
  methods: readonly Method[],
): PlannedCell[] {
  if (concepts.length < 2) {
    throw new ExperimentError(
      `The data file holds only ${concepts[0]?.name}. Retain text is another concept's, so at least two are needed.`,
    );
  }
  const cells: PlannedCell[] = [];
  for (const modelDirectory of models) {
    const modelName = basename(resolve(modelDirectory));
    for (const concept of chosen) {
      const retain = retainConceptOf(concepts, concepts.indexOf(concept));
      for (const method of methods) {
        const id = [modelName, concept.name, method].map(slug).join("--");
        cells.push({ id, modelName, modelDirectory, concept, retain, method });
      }
    }
  }
  const taken = new Set<string>();
  for (const { id, modelDirectory, concept } of cells) {
    if (taken.has(id)) {
      throw new ExperimentError(
        `Two cells would be called ${id} (one is ${concept.name} on ${modelDirectory}). Models go by the last part of their ` +
          "directory and concepts by their name; rename one, or run them into different --out folders.",
      );
    }
    taken.add(id);
  }
  return cells;
}

/** Completes planned cells: reads and hashes each model once. @throws ExperimentError when a directory holds no model */
export async function configureCells(
  planned: readonly PlannedCell[],
  preset: PresetName,
  seed: number,
): Promise<Cell[]> {
  const models = new Map<string, ReturnType<typeof identifyModel>>();
  const cells: Cell[] = [];
  for (const { id, modelName, modelDirectory, concept, retain, method } of planned) {
    const identity = await (models.get(modelDirectory) ?? identifyModel(modelDirectory));
    models.set(modelDirectory, Promise.resolve(identity));
    const recipe = recipeFor(identity.hiddenSize);
    const config = {
      preset,
      seed,
      model: { name: modelName, sha256: identity.sha256 },
      concept: conceptReference(concept),
      retain: conceptReference(retain),
      recipe,
      training: trainingRecipe(recipe, method),
      evaluation: presets[preset].evaluation,
    };
    cells.push({ id, config, modelDirectory, concept, retain });
  }
  return cells;
}

function conceptReference(concept: Concept) {
  return { id: concept.id, name: concept.name, sha256: identifyData(concept) };
}
