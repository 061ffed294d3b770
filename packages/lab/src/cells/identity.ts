import { folderOf, type ModelPlace, openModelCheckpoint, tokenizerFiles } from "@lethe/decoder";
import type { Folder } from "@lethe/tensor";
import { sha256 } from "#sha256";
import { hex, type Sha256 } from "../host/sha256.ts";

/** What decides a model's answers besides its weights. */
const FILES = ["config.json", "generation_config.json", ...tokenizerFiles];

/**
 * Identifies a model: a SHA-256 of every file that is read to load it, each with its name and size: its configuration, its tokenizer,
 * its stop tokens, and the weights with their index. Weights are streamed.
 * @param model a directory, or a model's name on the Hugging Face Hub
 * @throws ModelError, or SafetensorsError, when there are no weights that can be opened
 */
export async function identifyModel(model: ModelPlace): Promise<string> {
  const folder = await folderOf(model);
  const weights: string[] = [];
  const checkpoint = await openModelCheckpoint({
    ...folder,
    open: (file) => {
      weights.push(file);
      return folder.open(file);
    },
  });
  await checkpoint.close();
  const hash = sha256();
  for (const name of [...FILES, ...weights]) await hashFile(hash, folder, name);
  return hex(hash.digest());
}

/** Identifies plain data: a SHA-256 of its JSON. */
export function identifyData(data: unknown): string {
  return hex(sha256().update(JSON.stringify(data)).digest());
}

const PIECE_BYTES = 4 * 2 ** 20;

async function hashFile(hash: Sha256, folder: Folder, name: string): Promise<void> {
  const source = await folder.open(name);
  if (source === undefined) return;
  try {
    hash.update(`${name}\0${source.size}\0`);
    for (let at = 0; at < source.size; at += PIECE_BYTES)
      hash.update(await source.read(at, Math.min(PIECE_BYTES, source.size - at)));
  } finally {
    await source.close?.();
  }
}
