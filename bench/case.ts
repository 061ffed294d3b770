import type { Capabilities, Device } from "@lethe/tensor";

/** One piece of work to time, with the check of its output and the figures that its speed is compared with. */
export interface BenchCase {
  /** Kernel or pass, such as `matmul tiled` or `pass decode`; `--filter` searches it. */
  readonly name: string;
  readonly shape: string;
  /** Floating-point operations of one run, where arithmetic takes the time. */
  readonly flops?: number;
  /** Bytes that one run must move at least, where memory takes the time. */
  readonly bytes?: number;
  /** How many tokens or windows one run of a whole pass computes. */
  readonly items?: { readonly count: number; readonly unit: "tokens" | "windows" };
  /** Whether an adapter has what the case needs. Default: every one has. */
  readonly runsOn?: (capabilities: Capabilities) => boolean;
  /** Uploads inputs. Called once, inside a scope that lives as long as the case. */
  prepare(device: Device): PreparedCase | Promise<PreparedCase>;
}

export interface PreparedCase {
  /** Does the work once. The caller’s scope releases all that it makes; the caller waits for a promise that it returns. */
  run(): unknown;
  /** The plain way to the same result; it takes turns with `run`. */
  plain?(): unknown;
  /** Throws when the output is wrong. Called before anything is timed. */
  check(): Promise<void>;
  /** Releases what belongs to no scope, such as a model. */
  dispose?(): void;
}

/** A case, or another piece of work, that did not run. */
export interface Left {
  readonly name: string;
  readonly why: string;
}
