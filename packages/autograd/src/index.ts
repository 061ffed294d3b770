export { Lora, type LoraSettings } from "./lora.ts";
export { type BackwardOptions, Tape } from "./tape.ts";
export { type TrainingChoice, trainingMemory } from "./training/memory.ts";
export { type Breakdown, NonFiniteError } from "./training/non-finite.ts";
export { type GradientNorm, Optimiser } from "./training/optimiser.ts";
export { Adafactor } from "./training/optimisers/adafactor.ts";
export { AdamW, type AdamWSettings } from "./training/optimisers/adamw.ts";
export { AdamW8bit } from "./training/optimisers/adamw-8bit.ts";
export {
  makeOptimiser,
  type OptimiserName,
  optimiserNamed,
  optimiserNames,
  optimisers,
} from "./training/optimisers/list.ts";
export {
  matrices,
  type OptimiserRule,
  type OptimiserSettings,
} from "./training/optimisers/rule.ts";
export type { SelectedWeight, Trainable } from "./training/parameter.ts";
export { cosineDecay, linearDecay, type Schedule } from "./training/schedule.ts";
export {
  type MicroBatch,
  type MicroBatchProgress,
  type StepRecord,
  type TrainOptions,
  train,
} from "./training/train.ts";
export {
  selectTrainable,
  selectWeights,
  type TrainableFilter,
} from "./training/trainable.ts";
export { trainedWeights, type WeightsName, weightsNamed, weightsNames } from "./training/weights/list.ts";
