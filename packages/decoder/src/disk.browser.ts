import type { Folder } from "@lethe/tensor";
import { ModelError } from "./errors.ts";

const advice = "a browser has no directories: give `httpFolder(url)` or `filesFolder(files)` instead of a path";

/** @throws {ModelError} always. */
export function modelDirectory(place: string): Promise<string> {
  return Promise.reject(new ModelError(`${place}: ${advice}`));
}

/** @throws {ModelError} always. */
export function folderAt(place: string): Promise<Folder> {
  return Promise.reject(new ModelError(`${place}: ${advice}`));
}

/** @throws {ModelError} always. */
export function writeModel(directory: string): Promise<void> {
  return Promise.reject(new ModelError(`${directory}: a browser cannot write a model's directory`));
}
