export { Lora, type LoraSettings } from "./lora.ts";
export { type BackwardOptions, Tape } from "./tape.ts";
export { AdamW, type AdamWSettings, type GradientNorm, matrices } from "./training/adamw.ts";
export { trainingMemory } from "./training/memory.ts";
export { type Breakdown, NonFiniteError } from "./training/non-finite.ts";
export { cosineDecay, linearDecay, type Schedule } from "./training/schedule.ts";
export {
  type MicroBatch,
  type MicroBatchProgress,
  type StepRecord,
  type TrainOptions,
  train,
} from "./training/train.ts";
export {
  type SelectedWeight,
  selectTrainable,
  selectWeights,
  type Trainable,
  type TrainableFilter,
} from "./training/trainable.ts";
