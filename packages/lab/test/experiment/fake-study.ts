import { setTimeout } from "node:timers/promises";
import type { CellMeasurements } from "../../src/experiment/cell.ts";
import type { Cell, Progress, Remark, Study } from "../../src/experiment/types.ts";
import { fakeMeasurements } from "./fake-cell.ts";

const STEPS = 10;

/** A study without a GPU: made-up numbers, at a pace that a test can interrupt. */
export class FakeStudy implements Study {
  readonly adapter = { name: "fake adapter", software: true };
  readonly ran: string[] = [];
  closed = 0;
  readonly #stepMilliseconds: number;
  readonly #failAt: string | undefined;

  constructor(stepMilliseconds = 0, failAt?: string) {
    this.#stepMilliseconds = stepMilliseconds;
    this.#failAt = failAt;
  }

  async runCell(cell: Cell, progress: Progress, remark: Remark): Promise<CellMeasurements> {
    for (let step = 0; step < STEPS; step++) {
      progress(step / STEPS, step < STEPS / 2 ? "unlearning" : "restoring m");
      await setTimeout(this.#stepMilliseconds);
    }
    remark("a remark");
    if (cell.id === this.#failAt) throw new Error("the loss is NaN at step 7");
    this.ran.push(cell.id);
    return fakeMeasurements(cell.config);
  }

  async close(): Promise<void> {
    this.closed++;
  }
}
