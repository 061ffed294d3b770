import { basename, resolve } from "node:path";
import type { Concept } from "@lethe/unlearn";
import { retainConceptOf } from "@lethe/unlearn";
import type { ConceptFile } from "./choose.ts";
import { ExperimentError } from "./errors.ts";
import { identifyData, identifyModel } from "./identity.ts";
import { readModelKind } from "./model-kind.ts";
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

/** A model and what of a data file it is to forget. */
export interface PlannedModel {
  /** A directory, or a repository's name in the local Hugging Face cache. */
  readonly directory: string;
  readonly file: ConceptFile;
  readonly chosen: readonly Concept[];
}

/**
 * The cells of an experiment, model by model, within a model concept by concept, within a concept method by method.
 * @throws ExperimentError when two cells would share a result file, or no concept is left to take retain text from
 */
export function planCells(models: readonly PlannedModel[], methods: readonly Method[]): PlannedCell[] {
  const cells: PlannedCell[] = [];
  for (const { directory: modelDirectory, file, chosen } of models) {
    if (file.concepts.length < 2) {
      throw new ExperimentError(
        `${file.path} holds only ${file.concepts[0]?.name}. Retain text is another concept's, so at least two are needed.`,
      );
    }
    const modelName = nameOf(modelDirectory);
    for (const concept of chosen) {
      const retain = retainConceptOf(file.concepts, file.concepts.indexOf(concept));
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

/** A model goes by its directory's name, one in a Hugging Face cache by its repository's. */
function nameOf(model: string): string {
  const cached = /models--[^/\\]+?--([^/\\]+)(?:[/\\]snapshots[/\\][^/\\]+)?[/\\]?$/.exec(model);
  return cached?.[1] ?? basename(resolve(model));
}

/** Completes planned cells: reads and hashes each model once. @throws ExperimentError when a directory holds no model */
export async function configureCells(
  planned: readonly PlannedCell[],
  preset: PresetName,
  seed: number,
): Promise<Cell[]> {
  const models = new Map<string, Awaited<ReturnType<typeof inspectModel>>>();
  const cells: Cell[] = [];
  for (const { id, modelName, modelDirectory, concept, retain, method } of planned) {
    const { recipe, sha256 } = models.get(modelDirectory) ?? (await inspectModel(modelDirectory));
    models.set(modelDirectory, { recipe, sha256 });
    const config = {
      preset,
      seed,
      model: { name: modelName, sha256 },
      concept: conceptReference(concept),
      retain: conceptReference(retain),
      recipe,
      training: trainingRecipe(recipe, method, presets[preset].epochs),
      evaluation: presets[preset].evaluation,
    };
    cells.push({ id, config, modelDirectory, concept, retain });
  }
  return cells;
}

async function inspectModel(directory: string) {
  return { recipe: recipeFor(await readModelKind(directory)), sha256: await identifyModel(directory) };
}

function conceptReference(concept: Concept) {
  return { id: concept.id, name: concept.name, sha256: identifyData(concept) };
}
