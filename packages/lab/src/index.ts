export { pretrainingDocuments } from "./tiny/documents.ts";
export { modelCard } from "./tiny/model-card.ts";
export { pretrain } from "./tiny/pretrain.ts";
export { TINY_FAMILIES, type TinyFamily, type TinyModel, tinyModels } from "./tiny/tiny-models.ts";
