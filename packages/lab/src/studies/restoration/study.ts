import { krs } from "@lethe/unlearn";
import { findingsOf } from "../../report/findings/judge.ts";
import { mean } from "../../report/panels.ts";
import type { Study } from "../study.ts";
import { restorationCost } from "./cost.ts";
import { claims } from "./findings/claims.ts";
import { measureRestoration } from "./measure.ts";
import { type RestorationOptions, type RestorationResult, restorationOptions, restorationSchema } from "./schema.ts";
import { sections } from "./sections.ts";

/** Puts m, W_V or A of the vanilla model back, layer by layer, and measures what returns (arXiv 2410.06606, Section 3). */
export const restoration: Study<RestorationOptions, RestorationResult> = {
  name: "restoration",
  title: "Restoration of m, W_V and A",
  options: restorationOptions,
  schema: restorationSchema,
  cost: restorationCost,
  measure: measureRestoration,
  summary({ base, restored }) {
    const peaks = Object.entries(restored).map(([setting, { paper }]) => {
      const scores = paper.map((losses) => krs(base.paper, losses).ratioOfMeans);
      return `${setting} ${Math.max(...scores).toFixed(2)}`;
    });
    return `highest KRS ${peaks.join(", ")}`;
  },
  findings: (cells) => findingsOf(claims, cells),
  metrics: ({ base, restored }) =>
    Object.fromEntries(
      Object.entries(restored).flatMap(([setting, { paper }]) => {
        const scores = paper.map((losses) => krs(base.paper, losses).ratioOfMeans);
        return [
          [`krs_${setting}_max`, Math.max(...scores)],
          [`krs_${setting}_mean`, mean(scores)],
        ];
      }),
    ),
  sections,
};
