import type { PoolReport } from "./pool.ts";

/** What a device holds, in bytes and in pieces. */
export interface MemoryReport extends PoolReport {
  /** Bind groups that are kept for further use, and all that the driver has. */
  readonly bindGroups: { readonly cached: number; readonly alive: number };
  /** Kernels compiled, each for one set of constants. */
  readonly pipelines: number;
  /** Batches of commands that the device has, and those that wait for their turn. */
  readonly batches: { readonly inFlight: number; readonly held: number };
  /** Memory mappings of the process, which Linux limits; null on other systems. Read when it is asked for. */
  readonly mappings: number | null;
}

/** What a device holds, on one line for a log. */
export function describeMemory(report: MemoryReport): string {
  const { bytesInUse, bytesPooled, peakBytes, buffers, bindGroups, pipelines, batches, mappings } = report;
  const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;
  const parts = [
    `${megabytes(bytesInUse)} in ${buffers.inUse} buffers (peak ${megabytes(peakBytes)})`,
    `${megabytes(bytesPooled)} in ${buffers.pooled} free ones`,
    `${bindGroups.alive} bind groups (${bindGroups.cached} kept)`,
    `${pipelines} pipelines`,
    `${batches.inFlight} batches in flight and ${batches.held} held back`,
    ...(mappings === null ? [] : [`${mappings} memory mappings`]),
  ];
  return parts.join(", ");
}
