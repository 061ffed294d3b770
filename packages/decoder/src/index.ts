export { readText } from "#text";
export { type AttentionWeights, attentionState, type HeadShape } from "./attention.ts";
export { type Batch, type BatchOptions, batchOf, stepOf } from "./batch.ts";
export type { DecoderConfig } from "./config.ts";
export { Decoder, type DecoderParts } from "./decoder.ts";
export { folderOf, type ModelPlace, readConfig, readStopTokens, tokenizerFiles } from "./directory.ts";
export * from "./errors.ts";
export { type GatedMlpWeights, mlpOutput } from "./gated-mlp.ts";
export { type GenerateOptions, type Generation, generateTokens } from "./generate.ts";
export { KVCache, type KVCacheShape } from "./kv-cache.ts";
export { rmsNorm } from "./norm.ts";
export type { ForwardOptions, Pass } from "./pass.ts";
export type { Prompt } from "./prompts.ts";
export type { Sampling } from "./sampling.ts";
export type { SaveOptions } from "./save.ts";
export type { Text } from "./text/text.ts";
export {
  type ReadWeightsOptions,
  readWeights,
  type WeightShapes,
  type WeightSource,
  type WeightSources,
} from "./weights.ts";
