import { chmod, cp, link, lstat, mkdir, open, readdir, readlink, realpath, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join, resolve, sep } from "node:path";
import { ModelError } from "../errors.ts";
import { newTemporary, removeAbandoned, type Temporary, temporariesOf } from "./temporary.node.ts";

/** What takes a directory's place. */
export interface NewContent {
  /** Writes it into an empty directory. */
  fill(directory: string): Promise<void>;
  /** Whether something of the old content goes. What does not stays, unless the new content has a file of that name. */
  drops(name: string): boolean;
}

/**
 * Gives a directory new content as a whole. It is written into a directory beside it, into which what stays of the old content is
 * linked; when all that is on the disk, it takes the old one's place. Node cannot swap two directories in one step, so this takes two
 * renames: a crash before the first leaves the old content, one after the second the new. One between them leaves both, complete,
 * under their temporary names, and {@link finishReplacing} puts the new one in place.
 * @throws {ModelError} when there is something that cannot be replaced. Whatever fails, the old content is as it was.
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
    await synchronise(incoming);
    if (old) await swap(target, temporary);
    else await rename(incoming, target);
    await synchronise(dirname(target));
  } finally {
    await rm(incoming, { recursive: true, force: true });
  }
  // The new one is in place. What cannot be removed now, a later save removes.
  await rm(outgoing, { recursive: true, force: true }).catch(() => {});
}

/**
 * Puts a directory's new content in place where a crash came between the two renames.
 * @returns whether there is such a directory now
 */
export async function finishReplacing(directory: string): Promise<boolean> {
  const target = await targetOf(directory);
  if (await isThere(target)) return true;
  for (const { incoming, outgoing } of await temporariesOf(target)) {
    if (!(await isThere(outgoing))) continue;
    await rename((await isThere(incoming)) ? incoming : outgoing, target);
    await rm(outgoing, { recursive: true, force: true });
    return true;
  }
  return false;
}

/** The directory that a path means: through a link also where the link's end is not there just now. */
async function targetOf(path: string): Promise<string> {
  const end = async () => resolve(dirname(path), await readlink(path).catch(() => basename(path)));
  return realpath(path).catch(end);
}

async function swap(target: string, { incoming, outgoing }: Temporary): Promise<void> {
  await rename(target, outgoing);
  try {
    await rename(incoming, target);
  } catch (error) {
    // Somebody who looked for the directory just then may have put the new one in place.
    if (!(await isThere(incoming)) && (await isThere(target))) return;
    await rename(outgoing, target);
    throw error;
  }
}

/** Gives a file a second name in another directory, or all files of a directory. */
async function linkAll(from: string, to: string): Promise<void> {
  if ((await lstat(from)).isDirectory()) {
    await mkdir(to);
    for (const name of await readdir(from)) await linkAll(join(from, name), join(to, name));
    return;
  }
  // Some file systems have no links, and some files may not be linked.
  await link(from, to).catch(() => cp(from, to, { verbatimSymlinks: true, preserveTimestamps: true }));
}

/** Makes the names in a directory last, as far as the platform can: Windows opens no directories. */
async function synchronise(directory: string): Promise<void> {
  if (process.platform === "win32") return;
  const handle = await open(directory, "r");
  await handle.sync().finally(() => handle.close());
}

async function isThere(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => undefined)) !== undefined;
}
