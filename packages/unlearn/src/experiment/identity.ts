import { createHash, type Hash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { ExperimentError } from "./errors.ts";

/** What a cell's configuration says of its model, and the width that decides the training recipe. */
export interface ModelIdentity {
  readonly sha256: string;
  readonly hiddenSize: number;
}

/**
 * Reads what tells a model apart from every other: a SHA-256 over its config.json, tokenizer.json and all safetensors files, in
 * that order, each with its name and size. Weights are streamed.
 * @throws ExperimentError when the directory holds no model in Hugging Face's format
 */
export async function identifyModel(directory: string): Promise<ModelIdentity> {
  const entries = await readdir(directory).catch(() => {
    throw new ExperimentError(`--model ${directory}: there is no such directory.`);
  });
  const weights = entries.filter((name) => name.endsWith(".safetensors")).sort();
  if (!entries.includes("config.json") || weights.length === 0) {
    throw new ExperimentError(
      `--model ${directory}: expected a model in Hugging Face's format, a config.json beside one or more .safetensors files.`,
    );
  }
  const hash = createHash("sha256");
  for (const name of ["config.json", "tokenizer.json", ...weights].filter((name) => entries.includes(name))) {
    await hashFile(hash, directory, name);
  }
  return { sha256: hash.digest("hex"), hiddenSize: await readHiddenSize(directory) };
}

/** A SHA-256 of plain data, the same for the same JSON. */
export function identifyData(data: unknown): string {
  return createHash("sha256").update(JSON.stringify(data)).digest("hex");
}

async function hashFile(hash: Hash, directory: string, name: string): Promise<void> {
  const path = join(directory, name);
  hash.update(`${name}\0${(await stat(path)).size}\0`);
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
}

async function readHiddenSize(directory: string): Promise<number> {
  const path = join(directory, "config.json");
  try {
    return z.object({ hidden_size: z.number().int().positive() }).parse(JSON.parse(await readFile(path, "utf8")))
      .hidden_size;
  } catch {
    throw new ExperimentError(`${path}: expected JSON with a positive integer "hidden_size".`);
  }
}
