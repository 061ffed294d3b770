export { type LlamaConfig, type LlamaConfigInput, llamaConfig } from "./config.ts";
export { initLlama } from "./init.ts";
export { Llama } from "./llama.ts";
export { type LoadOptions, loadLlama } from "./load.ts";
export { weightShapes } from "./weights.ts";
