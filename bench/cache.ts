import { readdirSync, readFileSync } from "node:fs";

const folder = "/sys/devices/system/cpu/cpu0/cache";

/** Bytes of the processor's last-level cache; null where the system does not say. */
export function lastLevelCacheBytes(): number | null {
  try {
    const sizes = readdirSync(folder)
      .filter((name) => name.startsWith("index"))
      .map((name) => bytesOfSize(readFileSync(`${folder}/${name}/size`, "utf8")));
    return Math.max(...sizes) || null;
  } catch {
    return null; // Only Linux has these files.
  }
}

/** Linux writes sizes as "32768K". */
function bytesOfSize(text: string): number {
  const [, digits, unit] = /^(\d+)([KMG]?)/.exec(text) ?? [];
  return Number(digits) * 1024 ** " KMG".indexOf(unit || " ");
}

/** What the copy kernel reads where the cache's size is unknown, and on a GPU, whose cache is smaller than a quarter of this. */
const usual = 256 * 2 ** 20;

/**
 * Bytes that the copy kernel reads, and as many that it writes. On a software adapter the two are four times the processor's last-level cache
 * together, as far as one binding holds them.
 */
export function copyBytes(
  { software, maxBindingBytes }: { readonly software: boolean; readonly maxBindingBytes: number },
  cacheBytes = lastLevelCacheBytes(),
): number {
  const wanted = software && cacheBytes ? 2 * cacheBytes : usual;
  return Math.min(wanted, Math.floor(maxBindingBytes / 16) * 16);
}
