import { mean } from "../../report/panels.ts";
import type { Study } from "../study.ts";
import { measureDepth } from "./measure.ts";
import { type DepthOptions, type DepthResult, depthOptions, depthSchema } from "./schema.ts";
import { baseOf } from "./scores.ts";
import { sections } from "./sections.ts";

/** Patches a subject's residual stream into the vanilla model, and reads both through the logit lens (arXiv 2605.24614). */
export const depth: Study<DepthOptions, DepthResult> = {
  name: "depth",
  title: "Depth of unlearning: what is gone, layer by layer",
  options: depthOptions,
  schema: depthSchema,
  measure: measureDepth,
  summary(result) {
    const base = baseOf(result.target);
    const drops = result.target.patched.map((layer) =>
      mean(layer.map((logProb, question) => base[question]! - logProb)),
    );
    const largest = Math.max(...drops);
    return `largest Δ ${largest.toFixed(2)} nats, after layer ${result.layers[drops.indexOf(largest)]}`;
  },
  sections,
};
