import { z } from "zod";
import { at, lineSchema } from "../../studies/line.ts";
import type { Study, StudySize } from "../../studies/study.ts";
import { keepingSeconds } from "./keeping.ts";

const seconds = z.number().min(0);

/** How fast one model is on one device: what a rehearsal measured. */
export const ratesSchema = z.strictObject({
  /** Seconds to read a model. */
  load: seconds,
  /** Seconds of the pass over the questions' prompts, by their tokens. */
  prompts: lineSchema,
  /** Seconds for a new token of every answer, by the number of answers. */
  column: lineSchema,
  /** Seconds of an optimiser step without its batches. */
  update: seconds,
  /** Seconds of a batch's forward and backward pass, by its tokens. */
  batch: lineSchema,
  /** Seconds to keep the state of a training once. */
  keep: seconds,
  /** What each study's rehearsal measured. */
  studies: z.record(z.string(), z.unknown()),
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
  /** What studies measure on, after so many {@link Work.epochs}. */
  readonly size: Omit<StudySize, "epochs">;
  /** The studies' options, by name. */
  readonly studies: Readonly<Record<string, unknown>>;
}

/** What a cell will take, in seconds. Stages have the names under which they are recorded. */
export interface Forecast {
  readonly seconds: number;
  readonly stages: Readonly<Record<string, number>>;
}

/** The forecast for a cell: arithmetic alone. */
export function forecastOf(rates: Rates, work: Work, studies: readonly Study[]): Forecast {
  const { questions, promptTokens, answerTokens, epochs, steps, batchesPerStep, size } = work;
  const columns = (answerTokens - 1) * at(rates.column, questions);
  const asking = at(rates.prompts, questions * promptTokens) + columns;
  // Answers of before are checked in the same pass as their prompts. How many of them stay is not known, so none is counted on.
  const answering = at(rates.prompts, questions * (promptTokens + answerTokens)) + columns;
  const step = rates.update + batchesPerStep * at(rates.batch, work.batchTokens);
  const stages: Record<string, number> = {
    "loading the model": work.loads * rates.load,
    "asking the vanilla model": work.asking ? asking : 0,
    unlearning: steps * step + work.referenceTokens * rates.prompts.each,
    "keeping the training": keepingSeconds({ steps, step, epochs, answering, keep: rates.keep }),
    answering: epochs * answering,
  };
  for (const { name, cost } of studies)
    if (cost && name in work.studies)
      Object.assign(stages, cost.seconds(rates.studies[name], work.studies[name], { ...size, epochs }));
  return { seconds: Object.values(stages).reduce((sum, seconds) => sum + seconds, 0), stages };
}
