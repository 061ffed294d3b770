import type { Folder } from "@lethe/tensor";
import { ModelError } from "../errors.ts";
import { hubFolder } from "./hub/folder.ts";
import { hubName } from "./hub/name.ts";
import type { Watch } from "./progress.ts";

/** @throws {ModelError} always: a browser has no directories. */
export async function modelDirectory(place: string, _watch?: Watch): Promise<never> {
  throw new ModelError(
    `${place}: a browser has no directories: give \`httpFolder(url)\` or \`filesFolder(files)\` instead of a path`,
  );
}

/** The files of a model on the Hugging Face Hub. @throws {ModelError} for a path, and as `hubFolder` */
export async function folderAt(
  place: string,
  options: Watch & { readonly keep?: boolean | undefined },
): Promise<Folder> {
  return hubName(place) ? hubFolder(place, options) : modelDirectory(place);
}

/** @throws {ModelError} always. */
export async function writeModel(directory: string): Promise<never> {
  throw new ModelError(`${directory}: a browser cannot write a model's directory`);
}
