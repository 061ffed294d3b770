import { mkdir, rename, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Folder, TensorToWrite } from "@lethe/tensor";
import { directoryFolder, type TensorData, writeSafetensors } from "@lethe/tensor/safetensors/node";
import { ModelError } from "./errors.ts";

/**
 * A directory on disk.
 * @throws {ModelError} when there is none.
 */
export async function folderAt(directory: string): Promise<Folder> {
  const found = await stat(directory).catch(() => undefined);
  if (found?.isDirectory()) return directoryFolder(directory);
  const what = found ? "is a file" : "is not there";
  throw new ModelError(`${directory} ${what}; expected a model's directory, with config.json and *.safetensors`);
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
