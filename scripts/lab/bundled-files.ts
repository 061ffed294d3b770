import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import {
  type BundledFiles,
  bundledNames,
  LIST_PATH,
  modelPath,
  recipePath,
} from "../../packages/lab/src/page/bundled.ts";
import { root } from "../packages.ts";

/** What a person reads beside a model, and its loader does not. */
const NOT_LOADED = ["README.md"];

/** The files that lie beside the page, by their paths from it: the repository's models, data and recipes, and the list of them. */
export function bundledFiles(): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  const add = (path: string) => files.set(path, readFileSync(join(root, path)));
  const inFolder = (path: string) =>
    readdirSync(join(root, path), { withFileTypes: true }).filter((one) => one.isFile());
  const models = Object.fromEntries(
    bundledNames.map((name) => {
      const names = inFolder(`models/${name}`).map((one) => one.name);
      return [name, names.filter((file) => !NOT_LOADED.includes(file))];
    }),
  );
  const recipes = inFolder("data/recipes").map(({ name }) => name);
  for (const [model, names] of Object.entries(models)) for (const file of names) add(modelPath(model, file));
  for (const { name } of inFolder("data")) if (name.endsWith(".json")) add(`data/${name}`);
  for (const name of recipes) add(recipePath(name));
  const list: BundledFiles = { models, recipes };
  return files.set(LIST_PATH, new TextEncoder().encode(JSON.stringify(list)));
}
