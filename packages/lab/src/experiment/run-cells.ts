import { join } from "node:path";
import { assembleCell, type CellResult } from "./cell.ts";
import { writeCell } from "./cell-file.ts";
import { ExperimentError } from "./errors.ts";
import type { Cell, Progress, Remark, Study } from "./types.ts";
import { writeWhole } from "./write-whole.ts";

/** What somebody watching a run is told. */
export interface RunObserver {
  /** A stage of the cell in hand; `done` counts finished cells with the share of this one. */
  progress(done: number, cell: Cell, stage: string): void;
  remark(line: string): void;
  finished(cell: Cell, result: CellResult): void;
}

/**
 * Runs cells one after another, each written to its result file as soon as it is complete, with the time it took beside it in
 * `<out>/timings/`. Whatever stops the run, finished cells stay and the one in hand leaves nothing.
 *
 * @param signal when aborted, the study's next report of progress throws the signal's reason
 * @throws whatever stopped a cell, its message preceded by the cell's name
 */
export async function runCells(
  cells: readonly Cell[],
  out: string,
  study: Study,
  observer: RunObserver,
  signal: AbortSignal,
): Promise<void> {
  for (const [position, cell] of cells.entries()) {
    const watch = new StageWatch();
    const progress = (share: number, stage: string) => {
      signal.throwIfAborted();
      watch.enter(stage);
      observer.progress(position + Math.min(1, Math.max(0, share)), cell, stage);
    };
    const remark = (line: string) => observer.remark(`${cell.id}: ${line}`);
    const result = await runOne(cell, study, progress, remark, signal);
    const timings = { cell: cell.id, adapter: study.adapter, ...watch.stop() };
    await writeWhole(join(out, "timings", `${cell.id}.json`), `${JSON.stringify(timings, null, 2)}\n`);
    await writeCell(out, cell.id, result);
    observer.finished(cell, result);
  }
}

async function runOne(cell: Cell, study: Study, progress: Progress, remark: Remark, signal: AbortSignal) {
  try {
    signal.throwIfAborted();
    progress(0, "starting");
    return assembleCell(cell.config, await study.runCell(cell, progress, remark));
  } catch (error) {
    if (signal.aborted || !(error instanceof Error)) throw error;
    throw new ExperimentError(`Cell ${cell.id} failed: ${error.message}`, { cause: error });
  }
}

/** Adds up the time spent under each stage's name. */
class StageWatch {
  readonly #startedAt = new Date();
  readonly #milliseconds = new Map<string, number>();
  #stage = "starting";
  #since = performance.now();

  enter(stage: string): void {
    const now = performance.now();
    this.#milliseconds.set(this.#stage, (this.#milliseconds.get(this.#stage) ?? 0) + now - this.#since);
    this.#stage = stage;
    this.#since = now;
  }

  stop() {
    this.enter("");
    const stages = [...this.#milliseconds].map(([stage, time]) => [stage, seconds(time)] as const);
    const total = [...this.#milliseconds.values()].reduce((sum, time) => sum + time, 0);
    return { startedAt: this.#startedAt.toISOString(), seconds: seconds(total), stages: Object.fromEntries(stages) };
  }
}

function seconds(milliseconds: number): number {
  return Math.round(milliseconds) / 1000;
}
