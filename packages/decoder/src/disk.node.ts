import { mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Folder, TensorToWrite } from "@lethe/tensor";
import { directoryFolder, type TensorData, writeSafetensors } from "@lethe/tensor/safetensors/node";
import { modelDirectory } from "./directory/hub.node.ts";

export { modelDirectory };

/** The files of a directory, or of a model in the Hugging Face cache; see {@link modelDirectory}. */
export async function folderAt(place: string): Promise<Folder> {
  return directoryFolder(await modelDirectory(place));
}

/**
 * Writes a model's files into a directory, which is made where it is missing. Each file is written under a temporary name and
 * renamed when complete.
 * @param files contents of the files beside the weights, by name
 */
export async function writeModel(
  directory: string,
  tensors: Iterable<TensorToWrite<TensorData>>,
  files: ReadonlyMap<string, string | Uint8Array>,
): Promise<void> {
  await mkdir(directory, { recursive: true });
  await writeSafetensors(join(directory, "model.safetensors"), tensors, { format: "pt" });
  for (const [name, content] of files) {
    const path = join(directory, name);
    const temporary = `${path}.${process.pid}.tmp`;
    await writeFile(temporary, content);
    await rename(temporary, path);
  }
}
