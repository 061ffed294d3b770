import { chmod, cp, link, lstat, mkdir, readdir, readlink, realpath, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join, resolve, sep } from "node:path";
import { syncFolder } from "@lethe/tensor/node";
import { ModelError } from "../../errors.ts";
import { newTemporary, removeAbandoned, type Temporary, temporariesOf } from "./temporary.node.ts";

/** The new content of a directory. */
export interface NewContent {
  /** Writes it into an empty directory. */
  fill(directory: string): Promise<void>;
  /** Whether a file of the old content is deleted. The others stay, unless the new content has a file of the same name. */
  drops(name: string): boolean;
}

/**
 * Replaces a directory's content as a whole. The new content is written into a hidden directory beside the old one, and old files that
 * stay are linked into it. When all of it is on the disk, it takes the place of the old directory. Node cannot swap two directories in
 * one step, so this takes two renames. A crash before the first leaves the old content, a crash after the second the new content. A crash
 * between them leaves both complete under their temporary names; {@link finishReplacing} then puts the new one in place.
 * @throws {ModelError} when the directory cannot be replaced. If anything fails, the old content stays as it was.
 */
export async function replaceDirectory(directory: string, { fill, drops }: NewContent): Promise<void> {
  await finishReplacing(directory);
  const target = await targetOf(directory);
  const old = await stat(target).catch(() => undefined);
  await mkdir(dirname(target), { recursive: true });
  const refuse = (why: string, instead: string) => {
    throw new ModelError(`${directory} ${why}, which cannot be replaced; choose a directory ${instead}`);
  };
  if (old && !old.isDirectory()) refuse("is a file", "of another name");
  if (old && `${process.cwd()}${sep}`.startsWith(target + sep)) refuse("holds the working directory", "within it");
  if (old && old.dev !== (await stat(dirname(target))).dev) refuse("is where a file system is mounted", "within it");
  await removeAbandoned(target);
  const temporary = newTemporary(target);
  const { incoming, outgoing } = temporary;
  try {
    await mkdir(incoming);
    await fill(incoming);
    if (old) {
      const written = new Set(await readdir(incoming));
      const staying = (await readdir(target)).filter((name) => !written.has(name) && !drops(name));
      for (const name of staying) await linkAll(join(target, name), join(incoming, name));
      await chmod(incoming, old.mode);
    }
    await syncFolder(incoming);
    if (old) await swap(target, temporary);
    else await rename(incoming, target);
    await syncFolder(dirname(target));
  } finally {
    await rm(incoming, { recursive: true, force: true });
  }
  // If the old directory cannot be removed now, a later save removes it.
  await rm(outgoing, { recursive: true, force: true }).catch(() => {});
}

/**
 * Puts a directory's new content in place if a process crashed between the two renames of {@link replaceDirectory}.
 * @returns whether the directory exists now
 */
export async function finishReplacing(directory: string): Promise<boolean> {
  const target = await targetOf(directory);
  if (await exists(target)) return true;
  for (const { incoming, outgoing } of await temporariesOf(target)) {
    if (!(await exists(outgoing))) continue;
    await rename((await exists(incoming)) ? incoming : outgoing, target);
    await rm(outgoing, { recursive: true, force: true });
    return true;
  }
  return false;
}

/** The directory that a path leads to. A link is followed even if its target does not exist at the moment. */
async function targetOf(path: string): Promise<string> {
  const end = async () => resolve(dirname(path), await readlink(path).catch(() => basename(path)));
  return realpath(path).catch(end);
}

async function swap(target: string, { incoming, outgoing }: Temporary): Promise<void> {
  await rename(target, outgoing);
  try {
    await rename(incoming, target);
  } catch (error) {
    // Another process that called finishReplacing at this moment may have put the new one in place.
    if (!(await exists(incoming)) && (await exists(target))) return;
    await rename(outgoing, target);
    throw error;
  }
}

/** Links a file, or all files of a directory, to a second path. */
async function linkAll(from: string, to: string): Promise<void> {
  if ((await lstat(from)).isDirectory()) {
    await mkdir(to);
    for (const name of await readdir(from)) await linkAll(join(from, name), join(to, name));
    return;
  }
  // Some file systems have no hard links, and some files must not be linked.
  await link(from, to).catch(() => cp(from, to, { verbatimSymlinks: true, preserveTimestamps: true }));
}

async function exists(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => undefined)) !== undefined;
}
