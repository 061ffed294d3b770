import { TINY_FAMILIES, type TinyFamily } from "../tiny/tiny-models.ts";

/** The names of the models that come with the page. */
export type BundledName = `tiny-${TinyFamily}`;
export const bundledNames = TINY_FAMILIES.map((family) => `tiny-${family}` as const);

/** The name of the model whose files were dropped on the page: a link cannot hold them. */
export const DROPPED = "files";

/** Files beside the page, by their paths from it. They are the repository's own. */
export interface BundledFiles {
  /** By the model's name, the names of its files. */
  readonly models: Readonly<Record<string, readonly string[]>>;
  /** The names of the recipes on record. */
  readonly recipes: readonly string[];
}

/** Where a bundled file lies, from the page. */
export const modelPath = (model: string, file: string) => `models/${model}/${file}`;
export const dataPath = (family: TinyFamily) => `data/${family}.json`;
export const recipePath = (name: string) => `data/recipes/${name}`;
/** The list of them all. */
export const LIST_PATH = "bundled.json";
