import { type Command, InvalidArgumentError, Option } from "commander";
import { z } from "zod";
import { type RecipeChanges, type RecipeField, recipeFields } from "../../recipes/fields.ts";
import { number } from "../command-line.ts";

/** The options of one field of a recipe. A field that can be on or off has two. */
const OPTIONS = recipeFields.map((field) => ({ field, options: optionsOf(field) }));

/**
 * Adds an option for each field of a recipe, under a heading of their own.
 * @param wanted whether a field has one. Default: each has
 */
export function addRecipeOptions(program: Command, wanted: (field: RecipeField) => boolean = () => true): void {
  for (const option of OPTIONS.flatMap(({ field, options }) => (wanted(field) ? options : [])))
    program.addOption(option.helpGroup("Recipe (otherwise that on record for the model, or the defaults):"));
}

/** The fields of a recipe that were asked for. */
export function recipeChangesOf(program: Command): RecipeChanges {
  const asked = OPTIONS.map(({ field, options }) => {
    return [field.name, program.getOptionValue(options[0]!.attributeName())] as const;
  });
  return Object.fromEntries(asked.filter(([, value]) => value !== undefined));
}

function optionsOf({ name, description, values, standard }: RecipeField): [Option, ...Option[]] {
  const flag = name === "learningRate" ? "rate" : name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  if (values instanceof z.ZodBoolean)
    return [
      new Option(`--${flag}`, `${description}${standard === true ? " (the default)" : ""}`),
      new Option(`--no-${flag}`, `the opposite of --${flag}`),
    ];
  if (values instanceof z.ZodEnum)
    return [new Option(`--${flag} <name>`, description).choices(values.options.map(String))];
  const otherwise = standard === undefined ? "" : ` (default: ${standard ?? "none"})`;
  return [new Option(`--${flag} <number>`, `${description}${otherwise}`).argParser(readerOf(values))];
}

function readerOf(values: z.ZodType): (text: string) => unknown {
  return (text) => {
    const { data, error } = values.safeParse(text === "none" ? null : number(text));
    if (error) throw new InvalidArgumentError(`${error.issues.map(({ message }) => message).join("; ")}.`);
    return data;
  };
}
