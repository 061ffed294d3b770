import { batchOf, type Decoder } from "@lethe/decoder";
import { Hooks, type PointSelector, sites, type Where } from "@lethe/hooks";
import type { F32 } from "@lethe/tensor";
import { checkedAsync, instanceOf, oneOf, optional, options, wholeNumbers } from "@lethe/tensor/checked";
import { ActivationCache } from "./activation-cache.ts";
import { decoder, prompts as promptsKind, selector } from "./kinds.ts";
import { type Prompts, sequencesOf } from "./prompts.ts";

/** What {@link runWithCache} keeps, and of which run. */
export interface RunWithCacheOptions extends Where {
  /**
   * What is kept. Default: every activation but `result`, which is as large as all heads' outputs. Points on request are among them, and
   * computing one by itself can change the last bits of a run.
   */
  readonly points?: PointSelector;
  /** Interventions in the run. What is kept is kept after them. */
  readonly hooks?: Hooks;
  /** The side on which shorter prompts are padded. Default: `left`, so that −1 is each one's last token. */
  readonly pad?: "left" | "right";
}

/** A run and what it left. Both belong to the cache, which the caller disposes of. */
export interface CachedRun {
  /** `[B, T, V]`. */
  readonly logits: F32;
  readonly cache: ActivationCache;
}

/**
 * Runs a model and keeps its activations.
 *
 * ```ts
 * const { logits, cache } = await runWithCache(model, "The capital of France is");
 * const pattern = cache.get("pattern", 3);
 * cache.dispose();
 * ```
 * @throws {ModelUseError} for text without a tokenizer
 * @throws {HookError} when `points` names no point of the model, or a layer or position that the run lacks
 * @function
 */
export const runWithCache = checkedAsync(
  "runWithCache",
  {
    model: decoder,
    prompts: promptsKind,
    options: options({
      points: optional(selector),
      hooks: optional(instanceOf(Hooks)),
      layers: optional(wholeNumbers),
      positions: optional(wholeNumbers),
      heads: optional(wholeNumbers),
      pad: optional(oneOf(["left", "right"])),
    }),
  },
  async (model: Decoder, prompts: Prompts, options: RunWithCacheOptions = {}): Promise<CachedRun> => {
    const { points = everyActivation, hooks = new Hooks(), pad = "left", ...where } = options;
    const sequences = await sequencesOf(model, prompts);
    const cache = new ActivationCache(model);
    using _ = model.device.scope("run with cache");
    try {
      const batch = batchOf(model.device, sequences, { pad });
      const logits = model.forward(batch, { hooks: hooks.capture(points, cache, where) });
      return { logits: cache.keepLogits(logits), cache };
    } catch (error) {
      cache.dispose();
      throw error;
    }
  },
);

const everyActivation: PointSelector = ({ site }) => !sites[site].parameter && site !== "result";
