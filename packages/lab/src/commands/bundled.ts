import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { TINY_FAMILIES, type TinyFamily } from "../tiny/tiny-models.ts";

/** Where a tiny model and its concepts lie in this repository. */
export interface Bundled {
  readonly directory: string;
  readonly data: string;
}

/** The tiny models that come with the repository, by family. Paths are relative to the working directory. */
export const bundled = Object.fromEntries(
  TINY_FAMILIES.map((family) => [
    family,
    { directory: inRepository(`models/tiny-${family}`), data: inRepository(`data/${family}.json`) },
  ]),
) as Readonly<Record<TinyFamily, Bundled>>;

const SHAPES = ["7b-llama", "7b-olmo", "1b-llama", "1b-olmo"];

/** Folders of the shapes of well-known models, by name: `config.json` alone. */
export const bundledShapes: Readonly<Record<string, string>> = Object.fromEntries(
  SHAPES.map((name) => [name, inRepository(`models/shapes/${name}`)]),
);

/** The folder of the recipes that were found for models. */
export const bundledRecipes = inRepository("data/recipes");

function inRepository(path: string): string {
  return relative("", fileURLToPath(new URL(`../../../../${path}`, import.meta.url)));
}
