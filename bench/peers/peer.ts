import type { Task } from "./tasks.ts";

export interface Library {
  readonly name: string;
  readonly version: string;
}

/** A library that runs the tasks: Lethe, or one of its peers. */
export interface Contender extends Library {
  /** The work of a task, or null where the library has no way to it. */
  prepare(task: Task): Promise<ContenderWork | null>;
  close?(): void;
}

/** A task with its inputs on the device. */
export interface ContenderWork {
  /** The output of the first run; its elements are in the order of `Task.expected`. */
  output(): Promise<ArrayLike<number>>;
  /** Seconds of one run: `repeats` of them are started in a row, and waited for together. */
  time(repeats: number): Promise<number>;
  /**
   * Dispatches of one run, as the library itself tells; null where it does not. Left out by a library that uses this process's WebGPU, whose
   * dispatches are counted in every round.
   */
  readonly dispatches?: number | null;
  dispose?(): Promise<void> | void;
}

/** Seconds of some runs, all waited for at their end, for each. */
export async function secondsEach(repeats: number, runs: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await runs();
  return (performance.now() - start) / 1000 / repeats;
}
