import type { Concept } from "@lethe/unlearn";
import type { CellConfig, CellMeasurements } from "./cell.ts";

/** One model, one concept, one method: the unit that is run, written, resumed and scheduled on its own. */
export interface Cell {
  /** `<model>--<concept>--<method>`, the result file's name without `.json`. */
  readonly id: string;
  readonly config: CellConfig;
  readonly modelDirectory: string;
  readonly concept: Concept;
  /** Whose text is the retain text. */
  readonly retain: Concept;
}

/**
 * Told how far a cell is: the share of its work that is done, from 0 to 1, and what is being done now, in the same few words each
 * time (“unlearning”, “BLEU”, “restoring m”), because the time spent under each name is kept. Call it often, at least once a
 * training step: it throws when the run is being stopped, and that is the only way a cell hears of it.
 */
export type Progress = (share: number, stage: string) => void;

/** Told in a line what the person at the screen should know while the cell still runs. */
export type Remark = (line: string) => void;

export interface AdapterDescription {
  readonly name: string;
  /** True where no GPU does the work. */
  readonly software: boolean;
}

/** What runs cells: an open device and what it keeps between cells. */
export interface Study {
  readonly adapter: AdapterDescription;
  /**
   * Runs one cell. The result depends on nothing but the cell: not on which cells ran before, and not on the clock. Cells of one
   * model come in a row, and cells of one concept within them, so a vanilla model and its answers can be kept for the next.
   */
  runCell(cell: Cell, progress: Progress, remark: Remark): Promise<CellMeasurements>;
  /** Gives the device back. Called once, also after an error. */
  close(): Promise<void>;
}

export type OpenStudy = () => Promise<Study>;
