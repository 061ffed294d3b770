export { modelDirectory } from "#disk";
export {
  type CommonInput,
  type ConfigRules,
  checkConfig,
  commonFields,
  type DecoderConfig,
  type FieldChoices,
  unsupportedFields,
} from "./checkpoint/config.ts";
export {
  type FetchOptions,
  folderOf,
  type ModelPlace,
  openModelCheckpoint,
  readConfig,
} from "./checkpoint/directory.ts";
export {
  type BlankParts,
  defineFamily,
  type Family,
  type FamilyRules,
  type LoadOptions,
  loadDecoder,
} from "./checkpoint/family.ts";
export { tokenizerFiles } from "./checkpoint/files.ts";
export type { WeightSource, WeightSources } from "./checkpoint/find-weights.ts";
export { readStopTokens } from "./checkpoint/generation-config.ts";
export { type HubOptions, hubFolder } from "./checkpoint/hub/folder.ts";
export { cachedModelName } from "./checkpoint/hub/name.ts";
export type { OpenOptions } from "./checkpoint/open-model.ts";
export type { LoadProgress, Watch } from "./checkpoint/progress.ts";
export type { ModelFile, SaveOptions } from "./checkpoint/save.ts";
export { tensorToWrite, type WeightToWrite, weightToWrite } from "./checkpoint/saving/weight-data.ts";
export { Decoder } from "./decoder.ts";
export * from "./errors.ts";
export { type DrawOptions, drawContinuations } from "./generation/draws.ts";
export { type GenerateOptions, type Generation, generateTokens } from "./generation/generate.ts";
export { continueGreedily, type GreedyOptions } from "./generation/greedy.ts";
export { type Prompt, textOf, tokensOf } from "./generation/prompts.ts";
export type { Sampling } from "./generation/sampling.ts";
export {
  type Batch,
  type BatchOptions,
  batchOf,
  type CachedSequences,
  fewLengths,
  stepOf,
  usualTokens,
} from "./pass/batch.ts";
export type { Attention, Block, GatedMlp } from "./pass/block.ts";
export { KVCache, type KVCacheShape } from "./pass/cache.ts";
export { headOutputs } from "./pass/head-outputs.ts";
export { type Layout, type Modules, modules, type WeightShapes } from "./pass/layout.ts";
export type { Model, ModelParts } from "./pass/model.ts";
export type { Linear, Norm } from "./pass/modules.ts";
export type { ForwardOptions } from "./pass/pass.ts";
export { dependsOnLength, inverseFrequencies, type Rope, type RopeFields, readRope } from "./pass/rope.ts";
export { type StreamedForwardOptions, StreamedModel, streamDecoder } from "./streamed/streamed-model.ts";
export { type ChatMessage, type ChatOptions, hasChatTemplate } from "./text/chat.ts";
export type { DecodeStream } from "./text/decode-stream.ts";
export { readText } from "./text/read.ts";
export type { Text } from "./text/text.ts";
