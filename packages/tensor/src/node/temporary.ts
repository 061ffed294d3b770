import { createHash, randomBytes } from "node:crypto";
import { lstat, readdir, rm } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";

/** The machine, short enough that a file's name stays below the 255 bytes that file systems allow. */
const machine = createHash("sha256").update(hostname()).digest("hex").slice(0, 8);

const temporaryName = /\.([0-9a-f]{8})\.(\d+)\.[0-9a-f]{16}\.tmp$/;

/** After this time a temporary file of another machine is abandoned: nothing that Lethe writes takes a day. */
const ABANDONED_AFTER_MS = 24 * 3600 * 1000;

/** A new file's path beside another file. It says who writes it, so that others can tell when it is abandoned, and nobody can foresee it. */
export function temporaryBeside(path: string): string {
  return `${path}.${machine}.${process.pid}.${randomBytes(8).toString("hex")}.tmp`;
}

/**
 * Removes what killed processes left of files that they were writing with {@link temporaryBeside} into a folder: where the process ran on
 * this machine and has ended, or where the file has not changed for a day. A folder that is not there has none.
 * @throws the file system's own error where a file cannot be removed
 */
export async function removeAbandonedFiles(folder: string): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) {
    const [, owner, pid] = temporaryName.exec(entry.name) ?? [];
    if (owner === undefined || !entry.isFile()) continue;
    const path = join(folder, entry.name);
    const ended = owner === machine && !isRunning(Number(pid));
    if (ended || (await unchangedForADay(path))) await rm(path, { force: true });
  }
}

/** Whether a process of this machine is running. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0); // Sends nothing.
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

async function unchangedForADay(path: string): Promise<boolean> {
  // Its writer may have renamed it meanwhile.
  const found = await lstat(path).catch(() => undefined);
  return found !== undefined && Date.now() - found.mtimeMs > ABANDONED_AFTER_MS;
}
