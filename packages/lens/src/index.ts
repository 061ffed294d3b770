export {
  ActivationCache,
  type LogitAttrsOptions,
  type ResidualOptions,
  type ResidualStack,
} from "./activation-cache.ts";
export { type ActivationGradients, activationGradients, type GradientOptions } from "./activation-gradients.ts";
export { logitDifference, logProbability, type Metric, measure } from "./metrics.ts";
export { attributionPatching } from "./patching/attribution.ts";
export type { PatchingEffects, PatchingOptions } from "./patching/effects.ts";
export { patchingSweep, type SweepOptions } from "./patching/sweep.ts";
export { type Prompts, singleToken } from "./prompts.ts";
export { type CachedRun, type RunWithCacheOptions, runWithCache } from "./run-with-cache.ts";
export { type WeightViews, weightViews } from "./weight-views.ts";
