import { mkdir, open, rename, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { temporaryBeside } from "./temporary.ts";

/**
 * Writes a file whole or not at all. The content goes to a new file beside it, under a name that no other process uses or can
 * foresee; it is forced to the disk and then renamed. So no reader sees half a file, whoever else writes to the same path, and
 * a crash leaves the old file or the new one. Folders that are missing are made. What a killed process leaves of a new file,
 * {@link removeAbandonedFiles} removes.
 *
 * @param content text, bytes, or pieces that are asked for one after another, so that they need not all be in memory
 * @throws the file system's own error where writing fails, whose `path` is this one, and whatever `content` throws. The new
 *   file is removed then, and the file at `path` is as it was.
 */
export async function writeWhole(
  path: string,
  content: string | Uint8Array | AsyncIterable<Uint8Array>,
): Promise<void> {
  const folder = dirname(path);
  const temporary = temporaryBeside(path);
  try {
    await mkdir(folder, { recursive: true });
    const file = await open(temporary, "wx");
    try {
      await writeFile(file, content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    // Some errors of the file system name the new file, or none.
    throw error instanceof Error && "syscall" in error ? Object.assign(error, { path }) : error;
  }
  await syncFolder(folder);
}

/** Forces a folder's list of names to the disk, where a rename lies. Windows cannot open a folder and does not need to. */
export async function syncFolder(path: string): Promise<void> {
  if (process.platform === "win32") return;
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
