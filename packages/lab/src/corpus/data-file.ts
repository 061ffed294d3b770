import { basename, dirname, join, resolve } from "node:path";
import { readTextFile, writeWhole } from "@lethe/tensor/node";
import { jsonRecords } from "@lethe/unlearn";
import { ExperimentError } from "../errors.ts";

/** An entry of a concept file, as far as other files are named in it. */
interface Entry {
  unrelated_QA?: unknown;
  documents?: unknown;
}

/**
 * Prepares a copy of a concept file, with other texts for some of its concepts. Files that it names go with it, because they have to lie
 * beside it.
 * @param base a file that `loadConcepts` can read in the format concept-vectors
 * @returns what writes the copy. It is given, for each concept that gets other texts, by its place in the file, the name of the file beside
 *   `out` that holds them.
 * @throws ExperimentError when another file has the name of one that has to go with it
 */
export async function copyOfDataFile(
  base: string,
  out: string,
): Promise<(documents: ReadonlyMap<number, string>) => Promise<void>> {
  const entries = jsonRecords(base, (await readTextFile(base))!).map(({ value }) => value as Entry);
  await companions(entries, base, out);
  return async (documents) => {
    for (const [place, file] of documents) entries[place]!.documents = file;
    const own = [...documents.values()];
    for (const { to, content } of await companions(entries, base, out, own)) await writeWhole(to, content);
    await writeWhole(out, `${JSON.stringify(entries, null, 2)}\n`);
  };
}

/** The files that have to be brought into the folder of a copy. */
async function companions(entries: readonly Entry[], base: string, out: string, own: readonly string[] = []) {
  const missing: { readonly to: string; readonly content: string }[] = [];
  for (const name of new Set(entries.flatMap(({ unrelated_QA, documents }) => [unrelated_QA, documents]))) {
    if (typeof name !== "string" || own.includes(name)) continue;
    const [from, to] = [base, out].map((file) => join(dirname(resolve(file)), name)) as [string, string];
    if (from === to) continue;
    const content = (await readTextFile(from, Number.POSITIVE_INFINITY))!;
    const there = await readTextFile(to, Number.POSITIVE_INFINITY);
    if (there === undefined) missing.push({ to, content });
    else if (there !== content)
      throw new ExperimentError(
        `${to} is there and is not the ${name} that ${basename(base)} names. Name an --out in another folder.`,
      );
  }
  return missing;
}
