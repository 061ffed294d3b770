import type { CellResult } from "./cell.ts";
import { configureCells, type PlannedCell } from "./cells.ts";
import { ExperimentError } from "./errors.ts";
import type { PresetName } from "./presets.ts";
import { showProgress } from "./progress.ts";
import { planResume, requireEmpty } from "./resume.ts";
import { type RunObserver, runCells } from "./run-cells.ts";
import { writeRunRecord } from "./run-record.ts";
import { Stopped, stoppable } from "./stop-signals.ts";
import type { Cell, OpenStudy } from "./types.ts";

export interface ExperimentOptions {
  readonly preset: PresetName;
  readonly seed: number;
  readonly out: string;
  readonly resume: boolean;
  /** Run these cells of the plan and no others. Empty for all. */
  readonly only: readonly string[];
  /** As typed, for the record and for saying how to go on. */
  readonly arguments: readonly string[];
  readonly command: string;
  readonly openStudy: OpenStudy;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
}

/**
 * Runs an experiment's open cells and, once all of them are finished, writes its report.
 * @returns the exit code
 * @throws ExperimentError for what the user can put right
 */
export async function runExperiment(planned: readonly PlannedCell[], options: ExperimentOptions): Promise<number> {
  const { out, stdout, stderr } = options;
  if (!options.resume) await requireEmpty(out);
  const cells = await configureCells(planned, options.preset, options.seed);
  const { finished, open, damaged } = await planResume(out, cells);
  for (const line of damaged) stderr.write(`${line}\n`);
  const todo = options.only.length === 0 ? open : open.filter(({ id }) => options.only.includes(id));
  const plural = cells.length === 1 ? "cell" : "cells";
  stdout.write(`${cells.length} ${plural}, ${finished.length} of them finished before, ${todo.length} to run.\n`);

  if (todo.length > 0) {
    const stopped = await runOpenCells(todo, finished.length, options);
    if (stopped !== null) {
      stderr.write(`Stopped. Finished cells are kept; go on with:\n  ${resumeCommand(options)}\n`);
      return stopped.exitCode;
    }
  }
  // Looked up again: other machines may have finished their shares meanwhile.
  const missing = (await planResume(out, cells)).open;
  if (missing.length > 0) {
    stdout.write(`${missing.length} more to run before the report is written.\n`);
    return 0;
  }
  const { writeReport } = await import("../report/write-report.ts");
  const { page, skipped } = await writeReport(out);
  for (const reason of skipped) stderr.write(`${reason}; left out of the report\n`);
  stdout.write(`Report: ${page}\n`);
  return 0;
}

/** @returns what stopped the run from outside, or null when it came to its end */
async function runOpenCells(
  todo: readonly Cell[],
  reused: number,
  options: ExperimentOptions,
): Promise<Stopped | null> {
  const { out, stderr, stdout } = options;
  const study = await options.openStudy();
  try {
    stdout.write(`Adapter: ${study.adapter.name}${study.adapter.software ? " (software)" : ""}.\n`);
    const record = {
      adapter: study.adapter,
      node: process.version,
      platform: `${process.platform} ${process.arch}`,
      arguments: [...options.arguments],
      startedAt: new Date().toISOString(),
      cellsReused: reused,
    };
    await writeRunRecord(out, { ...record, finishedAt: null, cellsRun: 0 });
    const display = showProgress(stderr, todo.length);
    const observer: RunObserver = {
      progress: (done, cell, stage) => display.update(done, cell, stage),
      remark: (line) => display.line(line),
      finished: (cell, result) => display.line(summary(cell, result)),
    };
    try {
      await stoppable((signal) => runCells(todo, out, study, observer, signal));
    } finally {
      display.stop();
    }
    await writeRunRecord(out, { ...record, finishedAt: new Date().toISOString(), cellsRun: todo.length });
    return null;
  } catch (error) {
    if (error instanceof Stopped) return error;
    throw error;
  } finally {
    await study.close();
  }
}

function summary({ id }: Cell, { bleu, restoration }: CellResult): string {
  const ends = (scores: readonly number[]) => `${scores[0]!.toFixed(2)} → ${scores.at(-1)!.toFixed(2)}`;
  const peak = (setting: keyof CellResult["restoration"]["curves"]) =>
    `${setting} ${Math.max(...restoration.curves[setting].paper.ratioOfMeans).toFixed(2)}`;
  return (
    `${id}: BLEU target ${ends(bleu.target)}, unrelated ${ends(bleu.unrelated)}; ` +
    `highest KRS ${peak("m")}, ${peak("W_V")}, ${peak("A")}, ${peak("m+A")}`
  );
}

function resumeCommand({ command, arguments: args, resume }: ExperimentOptions): string {
  const quoted = args.map((argument) =>
    /^[\w./:=+-]+$/.test(argument) ? argument : `'${argument.replace(/'/g, `'\\''`)}'`,
  );
  return [command, ...quoted, ...(resume ? [] : ["--resume"])].join(" ");
}

/** The cells that `--cell` names. @throws ExperimentError when one is not part of the plan */
export function requireCells(planned: readonly PlannedCell[], ids: readonly string[]): void {
  for (const wanted of ids) {
    if (planned.some(({ id }) => id === wanted)) continue;
    throw new ExperimentError(`--cell ${wanted} is not part of this experiment. --list-cells prints those that are.`);
  }
}
