export { type ModelFacts, modelCard } from "./model-card.ts";
export { type PretrainingStep, pretrain } from "./pretrain.ts";
export { type PretrainingRecipe, tinyLlama, tinyRecipe } from "./recipe.ts";
