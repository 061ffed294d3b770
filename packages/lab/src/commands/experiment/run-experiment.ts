import { randomUUID } from "node:crypto";
import { join } from "node:path";
import stringify from "json-stringify-pretty-compact";
import type { Cell, CellResult } from "../../cells/cell.ts";
import { FolderStore } from "../../cells/folder-store.ts";
import { namesIn, writeInto } from "../../cells/out-folder.ts";
import { readResults } from "../../cells/results.ts";
import { adapterTitle, type CellRunner, type RunObserver, runCells } from "../../cells/run-cells.ts";
import type { CellStore } from "../../cells/store.ts";
import type { KeepPolicy } from "../../cells/unfinished-cell.ts";
import { ExperimentError } from "../../errors.ts";
import { FOUND_RECIPES } from "../../recipes/read-records.ts";
import type { Study } from "../../studies/study.ts";
import { formatDuration } from "../duration.ts";
import { showFigures } from "../figures.ts";
import { showProgress } from "../progress.ts";
import { printReport } from "./report-finished.ts";
import { PROFILE_NOTE, RunProfile } from "./run-profile.ts";
import { showForecast, showTaken } from "./show-forecast.ts";
import { Stopped, stoppable } from "./stop-signals.ts";
import { typedCommand } from "./typed-command.ts";

export interface ExperimentOptions {
  /** Every study: cells in the folder may hold studies that this run does not. */
  readonly studies: readonly Study[];
  readonly out: string;
  readonly resume: boolean;
  /** Whether this run has begun to write into the folder. */
  readonly begun: boolean;
  /** Ids of the cells to run; empty for all. */
  readonly only: readonly string[];
  /** Whether the report is written where all cells are finished. */
  readonly reports: boolean;
  /** Whether the device's work is counted and timed, by kernel and stage. */
  readonly profile?: boolean | undefined;
  /** As typed, for the record and for the command that resumes the run. */
  readonly arguments: readonly string[];
  readonly command: string;
  readonly openRunner: (studies: readonly Study[]) => Promise<CellRunner>;
  /** When unfinished work is kept. Default: as `runCells` does. */
  readonly keep?: KeepPolicy | undefined;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
}

/**
 * Runs the cells that have no result yet. When all are finished, writes the report. The report is made from these cells alone; other
 * results in the folder are listed.
 * @returns the exit code
 * @throws ExperimentError when the folder or a cell that was asked for does not fit, or a cell fails
 */
export async function runExperiment(cells: readonly Cell[], options: ExperimentOptions): Promise<number> {
  const { out, studies, only, stdout, stderr } = options;
  requireCells(cells, only);
  if (!options.begun) await requireFolder(out, options.resume);
  const store = new FolderStore(out);
  const before = await readResults(store, cells, studies);
  for (const line of before.damaged) stderr.write(`${line}; running this cell again\n`);
  for (const line of before.others) stderr.write(`left out of the report: ${line}\n`);
  const todo = only.length === 0 ? before.open : before.open.filter(({ id }) => only.includes(id));
  const finished = before.cells.length;
  if (options.resume)
    await store.removeAbandoned(cells.filter((cell) => !before.open.includes(cell)).map(({ id }) => id));
  stdout.write(
    `${cells.length} ${cells.length === 1 ? "cell" : "cells"}, ${finished} of them finished before, ${todo.length} to run.\n`,
  );

  if (todo.length > 0) {
    const stopped = await runOpenCells(todo, finished, store, options);
    if (stopped !== null) {
      stderr.write("Stopped.\n");
      return stopped.exitCode;
    }
  }
  if (!options.reports) return 0;
  // Read again: other processes may have finished their shares meanwhile.
  const results = await readResults(store, cells, studies);
  if (results.open.length > 0) {
    stdout.write(`${results.open.length} more to run before the report is written.\n`);
    return 0;
  }
  await printReport(results, options);
  return 0;
}

/** How often a long run's log says what the device holds. */
const COUNTS_EVERY_MS = 300_000;

/** @returns the signal that stopped the run, or null when all cells are done */
async function runOpenCells(
  todo: readonly Cell[],
  reused: number,
  store: CellStore,
  options: ExperimentOptions,
): Promise<Stopped | null> {
  const { studies, stderr, stdout } = options;
  const runner = await options.openRunner(studies);
  const { adapter } = runner;
  try {
    stdout.write(`Adapter: ${adapterTitle(adapter)}.\n`);
    const writeRecord = recordRun(store, {
      adapter,
      node: process.version,
      platform: `${process.platform} ${process.arch}`,
      arguments: [...options.arguments],
      startedAt: new Date().toISOString(),
      cellsReused: reused,
    });
    // finishedAt stays null when the run is stopped.
    await writeRecord({ finishedAt: null, cellsRun: 0 });
    const profile = options.profile ? new RunProfile(runner) : undefined;
    if (profile) stdout.write(`${PROFILE_NOTE}\n`);
    const display = showProgress(stderr, todo.length);
    const observer: RunObserver = {
      progress(done, cell, stage, now = {}) {
        profile?.enter(stage);
        display.update(done, cell.id, stage, ...showFigures(now));
      },
      remark: (line) => display.line(line),
      forecast(cell, forecast) {
        display.line(showForecast(cell.id, forecast));
        const left = todo.length - todo.indexOf(cell);
        if (left > 1)
          display.line(`${left} cells like it: about ${formatDuration(left * forecast.seconds)} for the run.`);
        display.expect((performance.now() - startedAt) / 1000 + left * forecast.seconds);
      },
      finished(cell, result, taken, forecast) {
        display.line(`${summary(cell, result, studies)}${forecast ? `; ${showTaken(taken, forecast)}` : ""}`);
      },
    };
    const startedAt = performance.now();
    const counts = setInterval(() => display.line(`device: ${runner.deviceState()}`), COUNTS_EVERY_MS).unref();
    try {
      const onStop = () =>
        display.line(
          "Stopping; press Ctrl-C again to stop at once. Finished cells are kept; " +
            `go on with:\n  ${resumeCommand(options)}`,
        );
      const { keep } = options;
      await stoppable((signal) => runCells(todo, { store, runner, studies, observer, signal, keep }), onStop);
    } finally {
      clearInterval(counts);
      display.stop();
    }
    await writeRecord({ finishedAt: new Date().toISOString(), cellsRun: todo.length });
    if (profile) stdout.write(`${(await writeProfile(profile, runner, options)).join("\n")}\n`);
    return null;
  } catch (error) {
    if (error instanceof Stopped) return error;
    throw error;
  } finally {
    await runner.close();
  }
}

/** Writes `profile.json`. @returns the lines that show it */
async function writeProfile(
  running: RunProfile,
  { adapter }: CellRunner,
  { out, command, arguments: args }: ExperimentOptions,
): Promise<string[]> {
  const { profile, lines } = await running.finish();
  const made = { adapter, node: process.version, command: [command, ...args].join(" "), ...profile };
  await writeInto(out, "profile.json", `${stringify(made, { maxLength: 140 })}\n`);
  return [...lines, `Profile: ${join(out, "profile.json")}`];
}

/** Gives a function that writes this process's own record. It is for people: unlike a cell, it depends on the machine and the clock. */
function recordRun(store: CellStore, run: { readonly startedAt: string } & Record<string, unknown>) {
  const id = `${run.startedAt.replace(/[:.]/g, "-")}-${randomUUID().slice(0, 8)}`;
  return (state: object) => store.write("runs", id, `${JSON.stringify({ ...run, ...state }, null, 2)}\n`);
}

function summary(
  { id }: Cell,
  { subject: { bleu }, studies: measured }: CellResult,
  studies: readonly Study[],
): string {
  const ends = (scores: readonly number[]) => `${scores[0]!.toFixed(2)} → ${scores.at(-1)!.toFixed(2)}`;
  const answers = `BLEU target ${ends(bleu.target)}, unrelated ${ends(bleu.unrelated)}`;
  const own = studies.filter(({ name }) => name in measured);
  return `${id}: ${[answers, ...own.map((study) => study.summary(measured[study.name]))].join("; ")}`;
}

function resumeCommand(options: ExperimentOptions): string {
  return [typedCommand(options), ...(options.resume ? [] : ["--resume"])].join(" ");
}

/** @throws ExperimentError when a cell that was asked for is not part of the experiment */
function requireCells(cells: readonly Cell[], ids: readonly string[]): void {
  for (const wanted of ids) {
    if (cells.some(({ id }) => id === wanted)) continue;
    throw new ExperimentError(`--cell ${wanted} is not part of this experiment. --list-cells prints those that are.`);
  }
}

/**
 * @throws ExperimentError when a folder that should be new is not empty, unless the run in it is resumed. Learning rates that were found for
 * it may be there.
 */
export async function requireFolder(out: string, resume = false): Promise<void> {
  if (!resume && (await namesIn(out)).some((name) => name !== FOUND_RECIPES))
    throw new ExperimentError(
      `--out ${out} is not empty. Add --resume to go on with the experiment in it, or name another folder.`,
    );
}
