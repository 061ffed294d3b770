export type { LoadOptions } from "@lethe/decoder";
export { type LlamaConfig, type LlamaConfigInput, llamaConfig } from "./config.ts";
export { initLlama, type Llama, llama, loadLlama } from "./llama.ts";
