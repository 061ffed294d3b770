import { join } from "node:path";
import type { Checkpoint } from "../safetensors/checkpoint.ts";
import { openCheckpointIn } from "../safetensors/folder.ts";
import type { Folder } from "../safetensors/source.ts";
import { fileNames, findFileSource } from "./file-source.ts";

/** A directory on disk. */
export function directoryFolder(directory: string): Folder {
  return {
    name: directory,
    open: (file) => findFileSource(join(directory, file)),
    list: () => fileNames(directory),
  };
}

/**
 * Opens the checkpoint in a Hugging Face directory: `model.safetensors`, or `model.safetensors.index.json` and its shards.
 *
 * @throws SafetensorsError of kind `not-found` where there is neither, or of another kind where the checkpoint is damaged.
 */
export function openCheckpoint(directory: string): Promise<Checkpoint> {
  return openCheckpointIn(directoryFolder(directory));
}
