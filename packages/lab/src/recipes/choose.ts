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

/** The record of a model and a method, or of the subject that a method makes of a part; undefined where there is none. */
export function recordOf(
  records: readonly RecipeRecord[],
  sha256: string,
  method: string,
): RecipeRecord["methods"][string] | undefined {
  return records.findLast(({ model, methods }) => model.sha256 === sha256 && method in methods)?.methods[method];
}

/** The name under which the recipe for a part is on record, where it is not what the method trains: that of the subject. */
const nameOf = (method: string, train: string | undefined) => (train === undefined ? method : `${method} ${train}`);

/**
 * The complete recipe of a method for one model: the method's published rate and the preset's epochs, unless they are on record for this
 * model, or the person asks for others. For a part of the model the record of that part counts, else the method's own. Epochs that are asked for are trained whole, whatever number of steps is on record.
 */
export function chooseRecipe(
  { name, rate }: Method,
  sha256: string,
  epochs: number,
  { records, changes }: RecipeSources,
  train?: string,
): TrainingRecipe {
  const found = recordOf(records, sha256, nameOf(name, train)) ?? recordOf(records, sha256, name);
  const record = found?.recipe;
  const whole = changes.epochs !== undefined && { steps: null };
  return recipeSchema.parse({ learningRate: rate, epochs, ...record, ...whole, ...changes });
}
