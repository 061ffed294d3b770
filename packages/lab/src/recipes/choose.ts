import { type Method, recipeSchema, type TrainingRecipe } from "@lethe/unlearn";
import type { RecipeChanges } from "./fields.ts";
import type { RecipeRecord } from "./record.ts";

/** Where the recipes of a run come from. */
export interface RecipeSources {
  /** Recipes on record. Of two for one model and method, the later one counts. */
  readonly records: readonly RecipeRecord[];
  /** What the person asks for. It goes before everything else. */
  readonly changes: RecipeChanges;
}

/** The record of a model and a method, undefined where there is none. */
export function recordOf(
  records: readonly RecipeRecord[],
  sha256: string,
  method: string,
): RecipeRecord["methods"][string] | undefined {
  return records.findLast(({ model, methods }) => model.sha256 === sha256 && method in methods)?.methods[method];
}

/**
 * The complete recipe of a method for one model: the method's published rate and the preset's epochs, unless they are on record for this
 * model, or the person asks for others. Epochs that are asked for are trained whole, whatever number of steps is on record.
 */
export function chooseRecipe(
  { name, rate }: Method,
  sha256: string,
  epochs: number,
  { records, changes }: RecipeSources,
): TrainingRecipe {
  const record = recordOf(records, sha256, name)?.recipe;
  const whole = changes.epochs !== undefined && { steps: null };
  return recipeSchema.parse({ learningRate: rate, epochs, ...record, ...whole, ...changes });
}
