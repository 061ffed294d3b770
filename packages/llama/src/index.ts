export type { LoadOptions } from "@lethe/decoder";
export { type LlamaConfig, type LlamaConfigInput, llamaConfig } from "./config.ts";
export { initLlama, llama, loadLlama } from "./family.ts";
export { Llama } from "./llama.ts";
export { weightShapes } from "./weights.ts";
