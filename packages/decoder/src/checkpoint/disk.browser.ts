import { ModelError } from "../errors.ts";

/** @throws {ModelError} always: a browser has no directories. */
export async function modelDirectory(place: string): Promise<never> {
  throw new ModelError(
    `${place}: a browser has no directories: give \`httpFolder(url)\` or \`filesFolder(files)\` instead of a path`,
  );
}

export const folderAt = modelDirectory;

/** @throws {ModelError} always. */
export async function writeModel(directory: string): Promise<never> {
  throw new ModelError(`${directory}: a browser cannot write a model's directory`);
}
