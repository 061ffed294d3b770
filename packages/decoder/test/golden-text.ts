import { readFile } from "node:fs/promises";

/** A file of the golden folder. */
export function golden(path: string): Promise<string> {
  return readFile(new URL(`golden/${path}`, import.meta.url), "utf8");
}

/** The files of one of the golden tokenizers. */
export async function goldenFiles(name: string): Promise<Record<string, unknown>> {
  const files = ["tokenizer.json", "tokenizer_config.json"];
  return Object.fromEntries(await Promise.all(files.map(async (file) => [file, await golden(`${name}/${file}`)])));
}
