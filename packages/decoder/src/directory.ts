import { type ByteSource, type Checkpoint, type Folder, openCheckpointIn, SafetensorsError } from "@lethe/tensor";
import { folderAt } from "#disk";
import { notAModel } from "./directory/mistakes.ts";
import { ModelError } from "./errors.ts";

/**
 * Where a model's files are: a directory on disk, a model in the Hugging Face cache by its name (`org/name`, `org/name@revision`), or
 * what `httpFolder` and `filesFolder` give in a browser.
 */
export type ModelPlace = string | Folder;

/**
 * The files of a place.
 * @throws {ModelError} that says where was looked, when there is no such directory or cached model
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

/** Bytes of a file; `undefined` where there is none. */
export async function readBytes(folder: Folder, file: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const source: ByteSource | undefined = await folder.open(file);
  try {
    return await source?.read(0, source.size);
  } finally {
    await source?.close?.();
  }
}

/**
 * A file's JSON object; `undefined` where there is no such file.
 * @throws {ModelError} when it is not a JSON object.
 */
export async function readJson(folder: Folder, file: string): Promise<Record<string, unknown> | undefined> {
  const bytes = await readBytes(folder, file);
  if (!bytes) return undefined;
  const text = new TextDecoder().decode(bytes);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new ModelError(`${folder.name}: ${file} is not JSON (${(cause as Error).message})`, { cause });
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new ModelError(`${folder.name}: ${file} holds ${text.slice(0, 40)}, expected a JSON object`);
}

/** @throws {ModelError} when there is no `config.json`, with what the directory seems to be instead. */
export async function readConfig(folder: Folder): Promise<Record<string, unknown>> {
  const config = await readJson(folder, "config.json");
  if (config) return config;
  throw await notAModel(folder, "config.json");
}

/** Tokens that end a generation: those of `generation_config.json`, else of `config.json`. */
export async function readStopTokens(folder: Folder, config: Record<string, unknown>): Promise<number[]> {
  const generation = await readJson(folder, "generation_config.json");
  const eos = generation?.eos_token_id ?? config.eos_token_id;
  return [eos].flat().filter((id) => Number.isInteger(id)) as number[];
}

/**
 * Opens the weights of a model's directory, in one file or in shards.
 * @throws {ModelError} when there are none that can be read, with what is there instead; `SafetensorsError` when a file is malformed
 */
export async function openModelCheckpoint(folder: Folder): Promise<Checkpoint> {
  try {
    return await openCheckpointIn(folder);
  } catch (error) {
    if (error instanceof SafetensorsError && error.kind === "not-found") throw await notAModel(folder, "weights");
    throw error;
  }
}
