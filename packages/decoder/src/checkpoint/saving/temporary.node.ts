import { readdir, rm } from "node:fs/promises";
import { hostname } from "node:os";
import { basename, dirname, join } from "node:path";
import { isRunning } from "@lethe/tensor/node";

/** Two hidden directories beside a directory: one for its new content, and one for its old content once that is replaced. */
export interface Temporary {
  readonly incoming: string;
  readonly outgoing: string;
}

/** Names for one replacement of a directory. They hold the host and the process, so that others can tell when it was abandoned. */
export function newTemporary(directory: string): Temporary {
  return temporary(directory, `${hostname()}.${process.pid}.${crypto.randomUUID().slice(0, 8)}`);
}

/** The temporary directories that exist beside a directory: of running saves, and of saves that were killed. */
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

/** Removes the temporary directories of processes of this machine that have ended. */
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
