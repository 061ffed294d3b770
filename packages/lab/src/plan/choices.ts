import { trainedPart } from "@lethe/unlearn";
import { recipeFields } from "../recipes/fields.ts";
import { namesOf } from "../recipes/names.ts";
import { VANILLA_PLACES } from "../subjects/vanilla/vanilla.ts";

/** Something of a training that can be chosen, and that changes what it takes. */
export interface Dimension {
  /** Its name in a {@link Choice}: a field of the recipe, or `train`. */
  readonly name: string;
  readonly description: string;
  /** What can be chosen, what is usual first, and what takes least last. */
  readonly values: readonly string[];
  /** Whether other values may be given. */
  readonly open?: true;
}

/** A value of each dimension. */
export type Choice = Readonly<Record<string, string>>;

/** Every dimension. A field of the recipe whose values are names is one by itself. */
export const dimensions: readonly Dimension[] = [
  { name: "train", description: "what is trained", values: ["all", "W_V", "lora:8"], open: true },
  ...recipeFields.flatMap(({ name, description, values }) => {
    const names = namesOf(values);
    return names ? [{ name, description, values: names }] : [];
  }),
  {
    name: "vanilla",
    description: "where the vanilla model is while another one is trained",
    values: [...VANILLA_PLACES],
  },
];

/** The usual value of each dimension. */
const usual: Choice = Object.fromEntries(dimensions.map(({ name, values }) => [name, values[0]!]));

/**
 * The choices to be planned. With given values: all combinations of them, where the other dimensions have their usual values. Without any: the
 * usual ones, each other value alone, and for each value of `train` all else as it takes least. (A streamed model recomputes no references but
 * those that lie under low-rank updates.)
 */
export function choicesOf(given: Readonly<Record<string, readonly string[]>>): Choice[] {
  const asked = dimensions.filter(({ name }) => (given[name]?.length ?? 0) > 0);
  if (asked.length > 0)
    return asked.reduce<Choice[]>(
      (choices, { name }) => choices.flatMap((choice) => given[name]!.map((value) => ({ ...choice, [name]: value }))),
      [usual],
    );
  const least = Object.fromEntries(dimensions.map(({ name, values }) => [name, values.at(-1)!]));
  const choices = [
    usual,
    ...dimensions.flatMap(({ name, values }) => values.slice(1).map((value) => ({ ...usual, [name]: value }))),
    ...dimensions[0]!.values.map((train) => ({
      ...least,
      train,
      ...(!trainedPart(train).lowRank && { references: "f16" }),
    })),
  ];
  return [...new Map(choices.map((choice) => [JSON.stringify(choice), choice])).values()];
}

/** A choice in a few words: what of it is not usual. */
export function nameOf(choice: Choice): string {
  return dimensions
    .filter(({ name }, i) => i === 0 || choice[name] !== usual[name])
    .map(({ name }) => choice[name])
    .join(" · ");
}
