import { recipeSchema, type TrainingRecipe } from "@lethe/unlearn";
import { z } from "zod";

/** Some fields of a recipe, to be put in place of others. */
export type RecipeChanges = { readonly [Field in keyof TrainingRecipe]?: TrainingRecipe[Field] | undefined };

/** A field of a recipe. */
export interface RecipeField {
  readonly name: keyof TrainingRecipe;
  readonly description: string;
  /** The schema of its values, without a default. */
  readonly values: z.ZodType;
  /** Undefined where there is none. */
  readonly standard: unknown;
}

/** Every field of a recipe, in its order. A field that is new in the library's schema is here by itself. */
export const recipeFields: readonly RecipeField[] = Object.entries(recipeSchema.shape).map(([name, field]) => ({
  name: name as keyof TrainingRecipe,
  description: field.description ?? "",
  values: field instanceof z.ZodDefault || field instanceof z.ZodOptional ? (field.unwrap() as z.ZodType) : field,
  standard: field instanceof z.ZodDefault ? field.parse(undefined) : undefined,
}));

/** The schema of {@link RecipeChanges}: nothing is filled in. */
export const recipeChanges = z.strictObject(
  Object.fromEntries(recipeFields.map(({ name, values }) => [name, values.optional()])),
) as unknown as z.ZodType<RecipeChanges>;

/** What a record keeps of a recipe: the fields that are not as the library has them. How many epochs there are, a preset says. */
export function differences(recipe: TrainingRecipe): RecipeChanges {
  const kept = recipeFields.filter(({ name, standard }) => name !== "epochs" && recipe[name] !== standard);
  return Object.fromEntries(kept.map(({ name }) => [name, recipe[name]]));
}
