import type { Work } from "../../../src/cells/forecast/forecast.ts";
import { restorationOptions } from "../../../src/studies/restoration/schema.ts";

/** A made-up cell's work. */
export const fakeWork = {
  loads: 0,
  questions: 60,
  promptTokens: 20,
  answerTokens: 30,
  asking: true,
  epochs: 10,
  steps: 30,
  batchesPerStep: 7,
  batchTokens: 800,
  referenceTokens: 0,
  size: { depth: 30, questions: 10, tokens: 2 },
  studies: { restoration: restorationOptions.parse({ settings: ["m", "A"] }) },
} satisfies Work;
