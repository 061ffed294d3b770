export { AdamW, type AdamWSettings, matrices, type UpdateReport } from "./adamw.ts";
export { trainingMemory } from "./memory.ts";
export { type Breakdown, NonFiniteError } from "./non-finite.ts";
export { cosineDecay, linearDecay, type Schedule } from "./schedule.ts";
export { type MicroBatch, type StepRecord, type TrainOptions, train } from "./train.ts";
export { type Needle, selectTrainable, type Trainable, type TrainableFilter } from "./trainable.ts";
