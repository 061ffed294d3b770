export { type ModelFacts, modelCard } from "./model-card.ts";
export { type PretrainingStep, pretrain } from "./pretrain.ts";
export type { PretrainingRecipe } from "./recipe.ts";
export { TINY_FAMILIES, type TinyFamily, type TinyModel, tinyModels } from "./tiny-models.ts";
