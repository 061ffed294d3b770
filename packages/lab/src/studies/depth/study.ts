import { mean } from "../../report/panels.ts";
import { wholeOf } from "../../subjects/vanilla/vanilla.ts";
import type { Study } from "../study.ts";
import { depthCost } from "./cost.ts";
import { measureDepth } from "./measure.ts";
import { type DepthOptions, type DepthResult, depthOptions, depthSchema, type Measured } from "./schema.ts";
import { baseOf } from "./scores.ts";
import { sections } from "./sections.ts";

/** Patches a subject's residual stream into the vanilla model, and reads both through the logit lens (arXiv 2605.24614). */
export const depth: Study<DepthOptions, DepthResult> = {
  name: "depth",
  title: "Depth of unlearning: what is gone, layer by layer",
  options: depthOptions,
  schema: depthSchema,
  cost: depthCost,
  vanillaOnDevice: true,
  measure: (subject, ...rest) =>
    measureDepth({ ...subject, vanilla: wholeOf(subject.vanilla, "--study depth") }, ...rest),
  summary({ layers, target }) {
    const drops = meanDropsOf(target);
    const largest = Math.max(...drops);
    return `largest Δ ${largest.toFixed(2)} nats, after layer ${layers[drops.indexOf(largest)]}`;
  },
  metrics: ({ target, unrelated }) => ({
    depth_drop_max: Math.max(...meanDropsOf(target)),
    depth_drop_mean: mean(meanDropsOf(target)),
    depth_drop_max_unrelated: Math.max(...meanDropsOf(unrelated)),
  }),
  sections,
};

/** Mean Δ over questions, by patched layer. */
function meanDropsOf(measured: Measured): number[] {
  const base = mean(baseOf(measured));
  return measured.patched.map((layer) => base - mean(layer));
}
