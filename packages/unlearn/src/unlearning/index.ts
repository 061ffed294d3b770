export { pairTexts, stepsOfEpoch, type TextPair } from "./batches.ts";
export { type UnlearnOptions, unlearn } from "./unlearn.ts";
