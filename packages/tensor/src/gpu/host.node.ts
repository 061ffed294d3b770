import { readFileSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

let collect: (() => void) | undefined;

/** Collects the host's memory now, and with it what it keeps of a device's memory. */
export function collectGarbage(): void {
  if (!collect) {
    setFlagsFromString("--expose-gc");
    collect = runInNewContext("gc") as () => void;
  }
  collect();
}

/** How many memory mappings the system allows this process; null where it does not say. */
export function mappingsAllowed(): number | null {
  return Number(read("/proc/sys/vm/max_map_count")) || null;
}

/** How many memory mappings this process has; null where the system does not say. Takes some milliseconds where there are many. */
export function mappingsInUse(): number | null {
  const maps = read("/proc/self/maps");
  return maps === null ? null : maps.split("\n").length - 1;
}

function read(file: string): string | null {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return null; // Only Linux has these files.
  }
}
