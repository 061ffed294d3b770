import { squaresTogether } from "@lethe/unlearn";
import { findingsOf } from "../../report/findings/judge.ts";
import type { Study } from "../study.ts";
import { minorComponents } from "./findings.ts";
import { measureWeights } from "./measure.ts";
import { type WeightsOptions, type WeightsResult, weightsOptions, weightsSchema } from "./schema.ts";
import { sections } from "./sections.ts";

/** How far each weight moved (arXiv 2410.06606, Section 6, for unembedding and norms; here every weight). */
export const weights: Study<WeightsOptions, WeightsResult> = {
  name: "weights",
  title: "Change of every weight: cosine similarity, norms and stable rank",
  options: weightsOptions,
  schema: weightsSchema,
  measure: measureWeights,
  summary({ weights }) {
    const { vanilla, change } = squaresTogether(weights);
    return `weights changed by ${(100 * Math.sqrt(change / vanilla)).toPrecision(2)}%`;
  },
  findings: (cells) => findingsOf([minorComponents], cells),
  metrics: ({ weights }) => {
    const { vanilla, change } = squaresTogether(weights);
    return { weights_relative_change: Math.sqrt(change / vanilla) };
  },
  sections,
};
