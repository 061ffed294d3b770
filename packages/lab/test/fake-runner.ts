import { setTimeout } from "node:timers/promises";
import { type Cell, stemOf } from "../src/cells/cell.ts";
import type { CellRunner } from "../src/cells/run-cells.ts";
import type { Watcher } from "../src/subjects/subject.ts";
import { fakeMeasurements } from "./fake-cell.ts";

const STEPS = 10;

/** A runner without a GPU: made-up numbers, at a pace that a test can interrupt. */
export class FakeRunner implements CellRunner {
  readonly adapter = { name: "fake adapter", software: true };
  /** The cells that were run, without their hashes. */
  readonly ran: string[] = [];
  closed = 0;
  readonly #stepMilliseconds: number;
  readonly #failAt: string | undefined;
  readonly #deaf: boolean;

  /** @param deaf whether it does not hear the signal, as a driver in the middle of a long pass */
  constructor(stepMilliseconds = 0, failAt?: string, deaf = false) {
    this.#stepMilliseconds = stepMilliseconds;
    this.#failAt = failAt;
    this.#deaf = deaf;
  }

  async runCell({ id, config }: Cell, { progress, remark, signal }: Watcher) {
    for (let step = 0; step < STEPS; step++) {
      progress(step / STEPS, step < STEPS / 2 ? "unlearning" : "restoring m");
      await setTimeout(this.#stepMilliseconds, undefined, this.#deaf ? {} : { signal }).catch(() =>
        signal.throwIfAborted(),
      );
    }
    remark("a remark");
    if (stemOf(id) === this.#failAt) throw new Error("the loss is NaN at step 7");
    this.ran.push(stemOf(id));
    return fakeMeasurements(config);
  }

  async close(): Promise<void> {
    this.closed++;
  }
}
