import type { PoolReport } from "./pool.ts";

/** What a device holds, in bytes and in pieces. */
export interface MemoryReport extends PoolReport {
  /** Batches of commands that the device has, and those that wait for their turn. */
  readonly batches: { readonly inFlight: number; readonly held: number };
}
