export { pairTexts, stepsOfEpoch, type TextPair } from "./batches.ts";
export type { ObjectiveRecipe, TrainingRecipe } from "./recipe.ts";
export { needle, valueVectors } from "./trainable.ts";
export { type UnlearnOptions, unlearn } from "./unlearn.ts";
