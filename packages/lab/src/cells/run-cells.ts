import type { Decoder } from "@lethe/decoder";
import { CellError, NotYetError } from "../errors.ts";
import type { DispatchLog } from "../profile/kernel-costs.ts";
import type { Study } from "../studies/study.ts";
import type { Live } from "../subjects/live.ts";
import type { Figures, Watcher } from "../subjects/subject.ts";
import type { Unfinished } from "../subjects/unfinished.ts";
import { CELL_VERSION, type Cell, type CellResult, matchedCellId } from "./cell.ts";
import { parseCell, serializeCell } from "./cell-file.ts";
import type { Forecast, Rates, Work } from "./forecast/forecast.ts";
import { StageTimes } from "./stage-times.ts";
import type { CellStore } from "./store.ts";
import { type KeepPolicy, keepEveryMinute, UnfinishedCell } from "./unfinished-cell.ts";

export interface AdapterDescription {
  readonly name: string;
  /** True where no GPU does the work. */
  readonly software: boolean;
}

/** An adapter in words, as runs, unfinished work and reports name it. */
export function adapterTitle({ name, software }: AdapterDescription): string {
  return software ? `${name} (software)` : name;
}

/** What a cell will take. */
export interface CellForecast extends Forecast {
  /** Bytes on the device by part, such as "gradients". */
  readonly memory: Readonly<Record<string, number>>;
}

/** What {@link CellRunner.runCell} may be given beside the cell. */
export interface CellParts {
  /** Keeps the work while it runs, and holds what an earlier run kept. */
  readonly unfinished?: Unfinished | undefined;
  /** Called with the forecast before the cell's own work, where the cell is long enough for one. */
  readonly onForecast?: ((forecast: CellForecast) => void) | undefined;
  /** The record of the subject that a control is made to match. */
  readonly matched?: CellResult["subject"] | undefined;
  /** Called with the subject's model when its studies are done. Afterwards another cell may change it. */
  readonly onMade?: ((model: Decoder) => Promise<void>) | undefined;
}

/** What a rehearsal says of a cell. */
export interface Rehearsed {
  readonly rates: Rates;
  readonly work: Work;
  /** Bytes on the device by part. */
  readonly memory: CellForecast["memory"];
}

/** Measures cells, on an open device, with models that are kept from cell to cell. */
export interface CellRunner {
  readonly adapter: AdapterDescription;
  /**
   * Makes a cell's subject and runs its studies. The result depends on the cell alone: not on earlier cells, and not on the clock.
   * Cells of one model should follow each other, and within them cells of one concept, so that the vanilla model and its answers can
   * be used again.
   * The result is the same with `parts` and without.
   */
  runCell(cell: Cell, watcher: Watcher, parts?: CellParts): Promise<Pick<CellResult, "subject" | "studies">>;
  /**
   * Measures how fast a cell's model is, on passes of the cell's shapes, and counts what the cell has to do.
   * @param unfinished where the training will be kept
   */
  rehearse(cell: Cell, watcher: Watcher, unfinished?: Unfinished): Promise<Rehearsed>;
  /** Counts the device's work from now on, for a profile. */
  watchWork(): DispatchLog;
  /** The most bytes that the device held during the last cell. */
  readonly peakBytes: number;
  /** What the device holds at the moment, in one line. */
  deviceState(): string;
  /** Gives the device back. Called once, also after an error. */
  close(): Promise<void>;
}

/** Shows a person how a run goes. */
export interface RunObserver {
  /** @param done the number of finished cells, plus the share of the running one that is done */
  progress(done: number, cell: Cell, stage: string, now?: Figures): void;
  remark(line: string): void;
  /** Takes what is measured of the running cell so far. Absent where nobody draws it. */
  live?(cell: Cell, now: Live): void;
  /** Called before a long cell's training starts. */
  forecast(cell: Cell, forecast: CellForecast): void;
  /** @param taken seconds, and the most bytes that the device held */
  finished(
    cell: Cell,
    result: CellResult,
    taken: { readonly seconds: number; readonly bytes: number },
    forecast: CellForecast | undefined,
  ): void;
}

export interface RunOptions {
  readonly store: CellStore;
  readonly runner: CellRunner;
  readonly studies: readonly Study[];
  readonly observer: RunObserver;
  /** When aborted, the running cell ends with the signal's reason. */
  readonly signal: AbortSignal;
  /** When unfinished work is kept. Default: {@link keepEveryMinute}. */
  readonly keep?: KeepPolicy | undefined;
  /** Takes the model of each cell's subject, to save it. Afterwards the next cell may change it. */
  readonly onMade?: ((cell: Cell, model: Decoder) => Promise<void>) | undefined;
}

/**
 * Runs cells one after another. Each is written as soon as it is complete; the time it took is a record of its own. When the run
 * stops, for whatever reason, finished cells stay, and the running one leaves at most its unfinished work, from which it goes on.
 * @throws the signal's reason when it is aborted; CellError when a cell fails, with the cell's name
 */
export async function runCells(cells: readonly Cell[], options: RunOptions): Promise<void> {
  const { store, runner, observer, signal } = options;
  for (const [position, cell] of cells.entries()) {
    const stages = new StageTimes();
    const watcher: Watcher = {
      progress(share, stage, now) {
        stages.enter(stage);
        observer.progress(position + Math.min(1, Math.max(0, share)), cell, stage, now);
      },
      remark: (line) => observer.remark(`${cell.id}: ${line}`),
      ...(observer.live && { live: (now: Live) => observer.live?.(cell, now) }),
      signal,
    };
    let forecast: CellForecast | undefined;
    const onForecast = (made: CellForecast) => {
      forecast = made;
      observer.forecast(cell, made);
    };
    const { result, text } = await runOne(cell, watcher, onForecast, options);
    const took = stages.stop();
    const device = runner.deviceState();
    const timings = { cell: cell.id, adapter: runner.adapter, ...took, ...(forecast && { forecast }), device };
    await store.write("timings", cell.id, `${JSON.stringify(timings, null, 2)}\n`);
    await store.write("cells", cell.id, text);
    await store.unfinished?.remove(cell.id);
    observer.finished(cell, result, { seconds: took.seconds, bytes: runner.peakBytes }, forecast);
  }
}

async function runOne(
  cell: Cell,
  watcher: Watcher,
  onForecast: (forecast: CellForecast) => void,
  { store, runner, studies, keep, onMade }: RunOptions,
) {
  const adapter = adapterTitle(runner.adapter);
  const parts = { id: cell.id, adapter, policy: keep ?? keepEveryMinute, watcher };
  const unfinished = store.unfinished && new UnfinishedCell({ ...parts, store: store.unfinished });
  try {
    watcher.signal.throwIfAborted();
    watcher.progress(0, "starting");
    const matched = await readMatched(cell, store, studies);
    const made = onMade && ((model: Decoder) => onMade(cell, model));
    const measured = await runner.runCell(cell, watcher, { unfinished, onForecast, matched, onMade: made });
    const result = { version: CELL_VERSION, config: cell.config, ...measured } as const;
    return { result, text: serializeCell(result, studies) };
  } catch (error) {
    watcher.signal.throwIfAborted();
    throw new CellError(`Cell ${cell.id} failed: ${(error as Error).message}`, { cause: error });
  } finally {
    await unfinished?.close();
  }
}

/**
 * Reads the record of the subject that a control is made to match; undefined where a cell needs none.
 * @throws NotYetError when its cell is not finished; CellFileError when that cell's file cannot be used
 */
async function readMatched(
  { config }: Cell,
  store: CellStore,
  studies: readonly Study[],
): Promise<CellResult["subject"] | undefined> {
  const id = matchedCellId(config);
  if (id === undefined) return undefined;
  const text = await store.read("cells", id);
  if (text === undefined)
    throw new NotYetError(`it is a control of ${id}, which is not finished. Run that cell first: --cell ${id}.`);
  return parseCell(text, store.where("cells", id), studies).subject;
}
