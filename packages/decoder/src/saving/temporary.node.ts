import { readdir, rm } from "node:fs/promises";
import { hostname } from "node:os";
import { basename, dirname, join } from "node:path";

/** Where a directory's new content is before it takes its place, and the old content after. They lie beside it and are hidden. */
export interface Temporary {
  readonly incoming: string;
  readonly outgoing: string;
}

/** Names for one replacement of a directory. They say whose it is, so that others know when nobody will finish it. */
export function newTemporary(directory: string): Temporary {
  return temporary(directory, `${hostname()}.${process.pid}.${crypto.randomUUID().slice(0, 8)}`);
}

/** Those that there are, of saves that go on and of such that were killed. */
export async function temporariesOf(directory: string): Promise<(Temporary & { readonly abandoned: boolean })[]> {
  const names = await readdir(dirname(directory)).catch(() => []);
  const start = `.${basename(directory)}.`;
  const owners = names.filter((name) => name.startsWith(start) && /\.(new|old)$/.test(name));
  return [...new Set(owners.map((name) => name.slice(start.length, -".new".length)))].flatMap((owner) => {
    const [, host, pid] = /^(.+)\.(\d+)\.[0-9a-f]{8}$/.exec(owner) ?? [];
    if (!host) return [];
    return { ...temporary(directory, owner), abandoned: host === hostname() && !isRunning(Number(pid)) };
  });
}

/** Removes what processes of this machine left behind that are no more. */
export async function removeAbandoned(directory: string): Promise<void> {
  for (const { incoming, outgoing, abandoned } of await temporariesOf(directory)) {
    if (!abandoned) continue;
    await rm(incoming, { recursive: true, force: true });
    await rm(outgoing, { recursive: true, force: true });
  }
}

function temporary(directory: string, owner: string): Temporary {
  const path = (role: string) => join(dirname(directory), `.${basename(directory)}.${owner}.${role}`);
  return { incoming: path("new"), outgoing: path("old") };
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0); // Sends nothing.
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
