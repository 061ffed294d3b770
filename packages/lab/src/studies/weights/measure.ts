import { compareWeights } from "@lethe/unlearn";
import type { Subject, Watcher } from "../../subjects/subject.ts";
import type { Vanilla } from "../../subjects/vanilla/vanilla.ts";
import type { WeightsOptions, WeightsResult } from "./schema.ts";

/** The spectral norms of vanilla models, which no subject changes: the next cell of the same model does not measure them again. */
const kept = new WeakMap<Vanilla, Map<string, number>>();

/** Compares the subject's weights with the vanilla model's, as `compareWeights` describes it. */
export async function measureWeights(
  { vanilla, model }: Subject,
  _: WeightsOptions,
  { progress, signal }: Watcher,
): Promise<WeightsResult> {
  const norms = kept.get(vanilla) ?? new Map<string, number>();
  kept.set(vanilla, norms);
  const watch = (share: number) => progress(share, "comparing weights");
  return { weights: await compareWeights(vanilla, model, { norms, progress: watch, signal }) };
}
