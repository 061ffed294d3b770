import { readFile } from "node:fs/promises";
import { bytesSource, type Folder } from "@lethe/tensor";

/** A file of the golden folder. */
export function golden(path: string): Promise<string> {
  return readFile(new URL(`golden/${path}`, import.meta.url), "utf8");
}

/** A model's directory in memory. What is not text is written as JSON. */
export function textFolder(files: Readonly<Record<string, unknown>>): Folder {
  const encode = (content: unknown) =>
    new TextEncoder().encode(typeof content === "string" ? content : JSON.stringify(content));
  return {
    name: "models/x",
    open: async (file) => (file in files ? bytesSource(encode(files[file]), `models/x/${file}`) : undefined),
  };
}

/** The files of one of the golden tokenizers. */
export async function goldenFiles(name: string): Promise<Record<string, unknown>> {
  const files = ["tokenizer.json", "tokenizer_config.json"];
  return Object.fromEntries(await Promise.all(files.map(async (file) => [file, await golden(`${name}/${file}`)])));
}
