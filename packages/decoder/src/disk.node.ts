import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Folder, TensorToWrite } from "@lethe/tensor";
import { directoryFolder, type TensorData, writeSafetensors } from "@lethe/tensor/safetensors/node";
import { modelDirectory } from "./directory/hub.node.ts";
import { ModelError } from "./errors.ts";
import { replaceDirectory } from "./saving/replace-directory.node.ts";
import type { ShardToWrite } from "./saving/shards.ts";

export { modelDirectory };

/** The files of a directory, or of a model in the Hugging Face cache; see {@link modelDirectory}. */
export async function folderAt(place: string): Promise<Folder> {
  return directoryFolder(await modelDirectory(place));
}

/**
 * Writes a model's directory as a whole, see {@link replaceDirectory}.
 * @param files contents of the files beside the weights, by name
 * @param drops whether a file of the directory as it was goes; those that do not and that are not written anew stay
 * @throws {ModelError} where the file system refuses; whatever fails, the directory is as it was
 */
export async function writeModel(
  directory: string,
  shards: readonly ShardToWrite<TensorToWrite<TensorData>>[],
  files: ReadonlyMap<string, string | Uint8Array>,
  drops: (file: string) => boolean,
): Promise<void> {
  const fill = async (temporary: string) => {
    for (const { file, tensors } of shards) await writeSafetensors(join(temporary, file), tensors, { format: "pt" });
    for (const [name, content] of files) await writeFile(join(temporary, name), content, { flush: true });
  };
  await replaceDirectory(directory, { fill, drops }).catch((error) => {
    if (!(error instanceof Error && "syscall" in error)) throw error;
    // Some of the file system's errors name no file, or one that is hidden from people.
    const problem = `${directory} could not be written (${error.message})`;
    throw new ModelError(`${problem}; what was there before is as it was`, { cause: error });
  });
}
