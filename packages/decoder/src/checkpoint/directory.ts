import { type Checkpoint, type Folder, openCheckpointIn, SafetensorsError } from "@lethe/tensor";
import { folderAt } from "#disk";
import { readJson } from "./files.ts";
import { notAModel } from "./mistakes.ts";
import type { Watch } from "./progress.ts";

/**
 * Where a model's files are: the path of a directory, the name of a model on the Hugging Face Hub (`org/name`, `org/name@revision`), or a
 * folder that `httpFolder`, `hubFolder` or `filesFolder` made.
 */
export type ModelPlace = string | Folder;

/** How the files of a place are fetched. */
export interface FetchOptions extends Watch {
  /**
   * Whether a browser keeps what it reads of a model on the Hub in its storage, see `httpSource` of `@lethe/tensor`. Node has the Hugging
   * Face cache. A folder has an option of its own.
   */
  readonly keep?: boolean | undefined;
  /**
   * Whether Node downloads a model on the Hub that is not in the Hugging Face cache. If not, its files are read from there by ranges, as a
   * browser reads them. Default: true.
   */
  readonly download?: boolean | undefined;
}

/**
 * The files of a place. In Node, a model on the Hub that is not in the Hugging Face cache is downloaded into it.
 * @throws {ModelError} when there is no such directory or model; the message says where Lethe looked
 */
export function folderOf(place: ModelPlace, options: FetchOptions = {}): Folder | Promise<Folder> {
  return typeof place === "string" ? folderAt(place, options) : place;
}

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
