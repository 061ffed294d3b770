import { sweepCentres, windowAround } from "@lethe/unlearn";
import { z } from "zod";

const seconds = z.number().min(0);

/** Seconds that grow with a size as `fixed + each · size`. */
const line = z.strictObject({ fixed: seconds, each: seconds });
export type Line = z.infer<typeof line>;

/** How fast one model is on one device: what a rehearsal measured. */
export const ratesSchema = z.strictObject({
  /** Seconds to read a model. */
  load: seconds,
  /** Seconds of the pass over the questions' prompts, by their tokens. */
  prompts: line,
  /** Seconds for a new token of every answer, by the number of answers. */
  column: line,
  /** Seconds of an optimiser step without its batches. */
  update: seconds,
  /** Seconds of a batch's forward and backward pass, by its tokens. */
  batch: line,
  /** Seconds of a restoration's passes, by tokens × layers: those of one window. `each` holds for every setting. */
  window: line,
});
export type Rates = z.infer<typeof ratesSchema>;

/** How much a cell has to do. */
export interface Work {
  /** Models to be read: 2 for a model's first cell, 0 for a later one. */
  readonly loads: number;
  /** Questions asked at once. */
  readonly questions: number;
  /** Tokens of one question's prompt, padding included. */
  readonly promptTokens: number;
  /** New tokens of an answer at most. */
  readonly answerTokens: number;
  /** Whether the vanilla model is still to be asked. */
  readonly asking: boolean;
  /** How often the trained model is asked. */
  readonly epochs: number;
  /** Optimiser steps in all. */
  readonly steps: number;
  readonly batchesPerStep: number;
  /** Tokens of a batch in the mean, padding included. */
  readonly batchTokens: number;
  /** Tokens on which the reference model runs. */
  readonly referenceTokens: number;
  readonly restoration: {
    readonly settings: readonly string[];
    readonly depth: number;
    readonly radius: number;
    readonly stride: number;
    /** Target questions, and tokens of one with its answer, padding included. */
    readonly questions: number;
    readonly tokens: number;
  } | null;
}

/** What a cell will take, in seconds. Stages have the names under which they are recorded. */
export interface Forecast {
  readonly seconds: number;
  readonly stages: Readonly<Record<string, number>>;
}

/** The forecast for a cell: arithmetic alone. */
export function forecastOf(rates: Rates, work: Work): Forecast {
  const { questions, promptTokens, answerTokens, epochs, steps, batchesPerStep } = work;
  const asking = at(rates.prompts, questions * promptTokens) + (answerTokens - 1) * at(rates.column, questions);
  const step = rates.update + batchesPerStep * at(rates.batch, work.batchTokens);
  const stages: Record<string, number> = {
    "loading the model": work.loads * rates.load,
    "asking the vanilla model": work.asking ? asking : 0,
    unlearning: steps * step + work.referenceTokens * rates.prompts.each,
    answering: epochs * asking,
  };
  if (work.restoration) {
    const { settings, depth, radius, stride, questions, tokens } = work.restoration;
    const centres = sweepCentres(depth, stride);
    const layers = centres.reduce((sum, centre) => sum + depth - windowAround(centre, radius, depth)[0]!, 0);
    const windows =
      centres.length * rates.window.fixed * questions * tokens + rates.window.each * layers * questions * tokens;
    for (const setting of settings) stages[`restoring ${setting}`] = windows;
  }
  return { seconds: Object.values(stages).reduce((sum, seconds) => sum + seconds, 0), stages };
}

/** The seconds of a line at a size. */
export function at({ fixed, each }: Line, size: number): number {
  return fixed + each * size;
}

/** The line through two measurements; where noise makes it fall, one through the origin and the larger size. */
export function lineThrough(
  [smallSize, small]: readonly [number, number],
  [largeSize, large]: readonly [number, number],
): Line {
  const each = (large - small) / (largeSize - smallSize);
  const fixed = small - each * smallSize;
  return largeSize > smallSize && each >= 0 && fixed >= 0 ? { fixed, each } : { fixed: 0, each: large / largeSize };
}
