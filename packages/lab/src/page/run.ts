import type { SettingName } from "@lethe/unlearn";
import type { CellResult } from "../cells/cell.ts";
import type { LiveKrs } from "../studies/restoration/measure.ts";
import type { Live } from "../subjects/live.ts";
import type { Figures } from "../subjects/subject.ts";
import type { LabEvent, PlannedCell } from "./laboratory/messages.ts";

type Epoch = Extract<Live, { kind: "epoch" }>;
type Vanilla = Extract<Live, { kind: "vanilla" }>;

/** What is known of a cell. */
export interface CellState extends PlannedCell {
  readonly vanilla?: Vanilla;
  /** The loss at each step. */
  readonly losses: readonly number[];
  /** Optimiser steps that there will be; 0 before the first. */
  readonly steps: number;
  readonly epochs: readonly Epoch[];
  /** KRS by setting, as far as it is measured. */
  readonly krs: Readonly<Partial<Record<SettingName, readonly LiveKrs[]>>>;
  readonly result?: CellResult;
}

/** An experiment that runs, or ran, on the page. */
export interface Run {
  readonly cells: readonly CellState[];
  /** The command that makes the same cells. */
  readonly command: string;
  /** Of the whole that is done, from 0 to 1. */
  readonly share: number;
  /** The running cell, and what it is doing. */
  readonly cell?: string;
  readonly stage: string;
  readonly now: Figures;
  readonly remarks: readonly string[];
  /** Seconds that the running cell will take, where there is a forecast. */
  readonly forecast?: number;
  readonly state: "running" | "finished" | "stopped";
}

export const begun: Run = {
  cells: [],
  command: "",
  share: 0,
  stage: "loading the model",
  now: {},
  remarks: [],
  state: "running",
};

/** A run after an event. */
export function after(run: Run, event: LabEvent): Run {
  switch (event.kind) {
    case "planned":
      return {
        ...run,
        command: event.command,
        cells: event.cells.map((cell) => ({ ...cell, losses: [], steps: 0, epochs: [], krs: {} })),
      };
    case "progress":
      return { ...run, share: event.share, cell: event.cell, stage: event.stage, now: event.now ?? {} };
    case "remark":
      return { ...run, remarks: [...run.remarks, event.line] };
    case "forecast":
      return { ...run, forecast: event.seconds };
    case "live":
      return withCell(run, event.cell, (cell) => afterLive(cell, event.now));
    case "finished":
      return withCell(run, event.cell, (cell) => ({ ...cell, result: event.result }));
  }
}

function withCell(run: Run, id: string, change: (cell: CellState) => CellState): Run {
  return { ...run, cells: run.cells.map((cell) => (cell.id === id ? change(cell) : cell)) };
}

function afterLive(cell: CellState, now: Live): CellState {
  switch (now.kind) {
    case "vanilla":
      return { ...cell, vanilla: now };
    case "step":
      return { ...cell, losses: [...cell.losses, now.loss], steps: now.of };
    case "epoch":
      return { ...cell, epochs: [...cell.epochs, now] };
    case "study": {
      if (now.study !== "restoration") return cell;
      const part = now.part as LiveKrs;
      return { ...cell, krs: { ...cell.krs, [part.setting]: [...(cell.krs[part.setting] ?? []), part] } };
    }
  }
}

/** The unlearned model of a run: its first cell that is no control. */
export function unlearnedOf({ cells }: Run): CellState | undefined {
  return cells.find(({ control }) => !control);
}
