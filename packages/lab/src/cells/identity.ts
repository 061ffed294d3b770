import { createHash, type Hash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { folderOf, modelDirectory, openModelCheckpoint } from "@lethe/decoder";

/**
 * Identifies a model: a SHA-256 of its config.json, tokenizer.json and all safetensors files, in that order, each with its name and
 * size. Weights are streamed.
 * @param model a directory, or a repository's name in the local Hugging Face cache
 * @throws ModelError, or SafetensorsError, when there are no weights that can be opened
 */
export async function identifyModel(model: string): Promise<string> {
  const directory = await modelDirectory(model);
  const checkpoint = await openModelCheckpoint(await folderOf(directory));
  await checkpoint.close();
  const entries = await readdir(directory);
  const weights = entries.filter((name) => name.endsWith(".safetensors")).sort();
  const hash = createHash("sha256");
  for (const name of ["config.json", "tokenizer.json", ...weights].filter((name) => entries.includes(name))) {
    await hashFile(hash, directory, name);
  }
  return hash.digest("hex");
}

/** Identifies plain data: a SHA-256 of its JSON. */
export function identifyData(data: unknown): string {
  return createHash("sha256").update(JSON.stringify(data)).digest("hex");
}

async function hashFile(hash: Hash, directory: string, name: string): Promise<void> {
  const path = join(directory, name);
  hash.update(`${name}\0${(await stat(path)).size}\0`);
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
}
