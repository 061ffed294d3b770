export { type BackwardOptions, Tape } from "./tape.ts";
export { AdamW, type AdamWSettings, matrices, type UpdateReport } from "./training/adamw.ts";
export { trainingMemory } from "./training/memory.ts";
export { type Breakdown, NonFiniteError } from "./training/non-finite.ts";
export { cosineDecay, linearDecay, type Schedule } from "./training/schedule.ts";
export { type MicroBatch, type StepRecord, type TrainOptions, train } from "./training/train.ts";
export { type Needle, selectTrainable, type Trainable, type TrainableFilter } from "./training/trainable.ts";
