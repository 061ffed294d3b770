import type { BenchCase } from "../case.ts";
import { decodeCase, prefillCase } from "./passes/inference.ts";
import { small, smallBf16, tiny } from "./passes/subjects.ts";
import { sweepCase } from "./passes/sweep.ts";
import { trainingCase } from "./passes/training.ts";

/** Whole passes of a fresh model, so large that matrix products take most of the time, and of the default experiment’s tiny model. */
export const passCases: readonly BenchCase[] = [
  prefillCase(small, { batch: 1, length: 128 }),
  prefillCase(smallBf16, { batch: 1, length: 128 }),
  prefillCase(tiny, { batch: 10, length: 48 }),
  ...[small, smallBf16, tiny].flatMap((subject) => [1, 8].map((batch) => decodeCase(subject, batch))),
  trainingCase(small, { batch: 4, length: 32 }),
  trainingCase(tiny, { batch: 8, length: 40 }),
  sweepCase(small, { questions: 4, length: 32, answer: 8 }),
  sweepCase(tiny, { questions: 10, length: 48, answer: 16 }),
];
