import { lstat, readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { writeWhole } from "@lethe/tensor/node";
import { ExperimentError } from "../errors.ts";

/** The names in a folder; none where there is no such folder. */
export async function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw error;
  });
}

/**
 * Writes a file below a folder of results, whole or not at all. Folders that are missing are made.
 * @param path the file's path from that folder
 * @throws ExperimentError as {@link ownPath} does
 * @throws the file system's own error where writing fails
 */
export async function writeInto(folder: string, path: string, content: string | Uint8Array): Promise<void> {
  await writeWhole(await ownPath(folder, path), content);
}

/**
 * Where a file below a folder of results is.
 * @param path the file's path from that folder
 * @throws ExperimentError when a folder on the way is a link: others may be allowed to write in the folder, and would lead files elsewhere
 */
export async function ownPath(folder: string, path: string): Promise<string> {
  // The folder itself may be a link: whoever runs the experiment named it. Its own "." is none.
  const inner = `${folder}/${dirname(path)}`;
  const found = await lstat(inner).catch(() => undefined);
  if (found?.isSymbolicLink())
    throw new ExperimentError(`${inner} is a link, and could lead elsewhere. Remove it, or name another --out.`);
  return join(folder, path);
}
