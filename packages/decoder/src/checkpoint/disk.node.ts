import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Folder, TensorToWrite } from "@lethe/tensor";
import { directoryFolder, type TensorData, writeSafetensors } from "@lethe/tensor/node";
import { ModelError } from "../errors.ts";
import { folderWithoutDownload, modelDirectory } from "./hub/directory.node.ts";
import type { Watch } from "./progress.ts";
import { replaceDirectory } from "./saving/replace-directory.node.ts";
import type { ShardToWrite } from "./saving/shards.ts";
import { WEIGHT_METADATA } from "./saving/weight-data.ts";

export { modelDirectory };

/** The files of a model's directory; see {@link modelDirectory}. */
export async function folderAt(
  place: string,
  { download = true, ...watch }: Watch & { readonly download?: boolean | undefined },
): Promise<Folder> {
  return download ? directoryFolder(await modelDirectory(place, watch)) : folderWithoutDownload(place);
}

/**
 * Writes a model's directory as a whole, see {@link replaceDirectory}.
 * @param files contents of the files beside the weights, by name
 * @param drops whether a file of the old directory is deleted; the others stay, unless a new file has the same name
 * @throws {ModelError} when the file system refuses. If anything fails, the directory stays as it was.
 */
export async function writeModel(
  directory: string,
  shards: readonly ShardToWrite<TensorToWrite<TensorData>>[],
  files: ReadonlyMap<string, string | Uint8Array>,
  drops: (file: string) => boolean,
): Promise<void> {
  const fill = async (temporary: string) => {
    for (const { file, tensors } of shards) await writeSafetensors(join(temporary, file), tensors, WEIGHT_METADATA);
    for (const [name, content] of files) await writeFile(join(temporary, name), content, { flush: true });
  };
  await replaceDirectory(directory, { fill, drops }).catch((error) => {
    if (!(error instanceof Error && "syscall" in error)) throw error;
    // Some errors of the file system name no file, or one of the hidden directory.
    throw new ModelError(`${directory} could not be written (${error.message}); it is as it was before`, {
      cause: error,
    });
  });
}
