import { setTimeout } from "node:timers/promises";
import type { TrainingRecipe } from "@lethe/unlearn";
import { type Cell, stemOf } from "../src/cells/cell.ts";
import type { CellParts, CellRunner } from "../src/cells/run-cells.ts";
import type { Watcher } from "../src/subjects/subject.ts";
import { fakeMeasurements, fakeNoise } from "./fake-cell.ts";

const STEPS = 10;

/** A runner without a GPU: made-up numbers, at a pace that a test can interrupt. */
export class FakeRunner implements CellRunner {
  readonly peakBytes = 0;
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

  async runCell(
    { id, config }: Cell,
    { progress, remark, signal }: Watcher,
    { matched }: CellParts = {},
  ): ReturnType<CellRunner["runCell"]> {
    for (let step = 0; step < STEPS; step++) {
      progress(step / STEPS, step < STEPS / 2 ? "unlearning" : "restoring m");
      await setTimeout(this.#stepMilliseconds, undefined, this.#deaf ? {} : { signal }).catch(() =>
        signal.throwIfAborted(),
      );
    }
    remark("a remark");
    if (stemOf(id) === this.#failAt) throw new Error("the loss is NaN at step 7");
    this.ran.push(stemOf(id));
    if (config.subject.kind !== "noise") return fakeMeasurements(config);
    if (!matched) throw new Error("noise matches a model of which nothing was measured");
    return fakeNoise(config);
  }

  watchWork(): never {
    throw new Error("there is no device to watch");
  }

  deviceState(): string {
    return "nothing in use";
  }

  /** Each step takes a second, each pass of questions one, each window a tenth. */
  async rehearse(cell: Cell): ReturnType<CellRunner["rehearse"]> {
    const { evaluation, subject, studies } = cell.config;
    const questions = evaluation.targetQuestions + evaluation.unrelatedQuestions;
    const { training: recipe } = subject as Partial<{ training: TrainingRecipe }>;
    const { epochs, stepsPerEpoch } = recipe ?? { epochs: 1, stepsPerEpoch: 0 };
    const rates = {
      load: 1,
      prompts: { fixed: 0, each: 0.03 },
      column: { fixed: 0, each: 0.01 },
      update: 0.5,
      batch: { fixed: 0.5, each: 0 },
      keep: 0,
      studies: {
        restoration: { fixed: 0.01, each: 0 },
        depth: { fixed: 0, each: 0 },
        unpact: { leavingOut: 0, prompts: { fixed: 0, each: 0 }, column: { fixed: 0, each: 0 }, answerTokens: 1 },
      },
    };
    const training = {
      epochs,
      steps: epochs * (stepsPerEpoch ?? 3),
      batchesPerStep: 1,
      batchTokens: 1,
      referenceTokens: 0,
    };
    const size = { depth: 12, questions: 10, tokens: 1 };
    const work = { loads: 2, questions, promptTokens: 1, answerTokens: 2, asking: true, ...training, size, studies };
    return { rates, work, memory: { weights: 1000 } };
  }

  async close(): Promise<void> {
    this.closed++;
  }
}
