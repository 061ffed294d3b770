export { modelDirectory } from "#disk";
export { readText } from "#text";
export type { Attention } from "./attention.ts";
export { type Batch, type BatchOptions, batchOf, stepOf } from "./batch.ts";
export type { BlockStyle } from "./block.ts";
export { type CommonInput, type ConfigRules, checkConfig, commonFields, type DecoderConfig } from "./config.ts";
export { Decoder, type DecoderParts } from "./decoder.ts";
export {
  folderOf,
  type ModelPlace,
  openModelCheckpoint,
  readConfig,
  readStopTokens,
  tokenizerFiles,
} from "./directory.ts";
export * from "./errors.ts";
export { faultsOf } from "./faults.ts";
export type { GatedMlp } from "./gated-mlp.ts";
export { type GenerateOptions, type Generation, generateTokens } from "./generate.ts";
export { KVCache, type KVCacheShape } from "./kv-cache.ts";
export type { Linear } from "./linear.ts";
export { type Family, initFamily, type LoadOptions, loadFamily } from "./load.ts";
export { modules } from "./names.ts";
export type { Norm } from "./norm.ts";
export type { ForwardOptions } from "./pass.ts";
export { type Prompt, textOf } from "./prompts.ts";
export { dependsOnLength, inverseFrequencies, type Rope, type RopeFields, readRope } from "./rope.ts";
export type { Sampling } from "./sampling.ts";
export type { SaveOptions } from "./save.ts";
export { type OwnWeights, shapesOf } from "./shapes.ts";
export type { ChatMessage, ChatOptions } from "./text/chat.ts";
export type { DecodeStream } from "./text/decode-stream.ts";
export type { Text } from "./text/text.ts";
export type { WeightShapes, WeightSource, WeightSources } from "./weight-sources.ts";
export { type ReadWeightsOptions, readWeights } from "./weights.ts";
