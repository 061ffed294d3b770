import { keepEveryMinute } from "../unfinished-cell.ts";

/** A training, as far as it decides how often it is kept. Times are in seconds. */
interface KeptTraining {
  readonly steps: number;
  readonly step: number;
  readonly epochs: number;
  /** To answer once after each epoch. */
  readonly answering: number;
  /** To keep the state once: weights and both moments. */
  readonly keep: number;
}

/** Seconds that go into keeping a training while it runs: what `keepEveryMinute` decides, step by step. */
export function keepingSeconds({ steps, step, epochs, answering, keep }: KeptTraining): number {
  const ofEpoch = Math.ceil(steps / epochs);
  let [since, took, total] = [0, 0, 0];
  for (let done = 1; done <= steps; done++) {
    const last = done === steps;
    since += step + (last || done % ofEpoch === 0 ? answering : 0);
    if (!keepEveryMinute(1000 * since, 1000 * took)) continue;
    // After the last step only the weights are kept.
    took = last ? keep / 3 : keep;
    total += took;
    since = 0;
  }
  return total;
}
