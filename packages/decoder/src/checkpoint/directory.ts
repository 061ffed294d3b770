import { type Checkpoint, type Folder, openCheckpointIn, SafetensorsError } from "@lethe/tensor";
import { folderAt } from "#disk";
import { readJson } from "./files.ts";
import { notAModel } from "./mistakes.ts";

/**
 * Where a model's files are: the path of a directory, the name of a model in the Hugging Face cache (`org/name`,
 * `org/name@revision`), or a folder that `httpFolder` or `filesFolder` made in a browser.
 */
export type ModelPlace = string | Folder;

/**
 * The files of a place.
 * @throws {ModelError} when there is no such directory or cached model; the message says where Lethe looked
 */
export function folderOf(place: ModelPlace): Folder | Promise<Folder> {
  return typeof place === "string" ? folderAt(place) : place;
}

/** Files that belong to a tokenizer and go with a model when it is saved. */
export const tokenizerFiles = [
  "tokenizer.json",
  "tokenizer_config.json",
  "special_tokens_map.json",
  "added_tokens.json",
  "tokenizer.model",
  "vocab.json",
  "merges.txt",
  "chat_template.jinja",
] as const;

/** The fields of `config.json`. @throws {ModelError} when there is none; the message says what the directory seems to be instead. */
export async function readConfig(folder: Folder): Promise<Record<string, unknown>> {
  const config = await readJson(folder, "config.json");
  if (config) return config;
  throw await notAModel(folder, "config.json");
}

/**
 * Opens the weights of a model's directory, in one file or in shards.
 * @throws {ModelError} when there are no weights that can be read; the message says what is there instead
 * @throws {SafetensorsError} when a file is malformed
 */
export async function openModelCheckpoint(folder: Folder): Promise<Checkpoint> {
  try {
    return await openCheckpointIn(folder);
  } catch (error) {
    if (error instanceof SafetensorsError && error.kind === "not-found") throw await notAModel(folder, "weights");
    throw error;
  }
}
