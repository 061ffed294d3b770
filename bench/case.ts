import type { Device } from "@lethe/tensor";

/** One thing to time, with what it takes to say whether its answer is right and its speed good. */
export interface BenchCase {
  /** Kernel or pass, as `--filter` finds it: `matmul tiled`, `pass decode`. */
  readonly name: string;
  readonly shape: string;
  /** Floating-point operations of one run, where arithmetic is what costs. */
  readonly flops?: number;
  /** Bytes that one run has to move at least, where memory is what costs. */
  readonly bytes?: number;
  /** What one run of a whole pass gets through. */
  readonly items?: { readonly count: number; readonly unit: "tokens" | "windows" };
  /** Uploads inputs; called once, inside a scope that lives as long as the case. */
  prepare(device: Device): PreparedCase | Promise<PreparedCase>;
}

export interface PreparedCase {
  /** Does the work once. Everything it makes is released by the caller’s scope; a promise that it returns is waited for. */
  run(): unknown;
  /** The plain way to the same result, timed in turns with `run`. */
  plain?(): unknown;
  /** Throws when the output is wrong. Called before anything is timed. */
  check(): Promise<void>;
  /** Releases what belongs to no scope. */
  dispose?(): void;
}
