import type { Claim } from "../../../report/findings/claim.ts";
import { score } from "../../../report/tables.ts";
import type { RestorationCell } from "../scores.ts";
import { onCurves } from "./curves.ts";

/** The relative depth from which layers are the last: about the paper's last three of 32. */
export const LAST = 0.9;
/** Most of the behaviour is more than half of it. */
const MOST = 0.5;

/** Restoring m in the last layers alone brings most back. */
export const lastLayers: Claim<RestorationCell> = {
  id: "restoration.m-last-layers",
  claim: "Restoring m in the last layers alone brings most back",
  source: "Section 3, Figure 1",
  measure: "mean KRS of m around the last tenth of the layers",
  paper: "0.8 or more for the last two or three layers, both models",
  criterion: `mean KRS of m at relative depth ${LAST} or more is at least ${MOST}, and higher than that of A and of W_V`,
  beyond: "higher",
  on: (cells) =>
    onCurves(cells, ["m", "A", "W_V"], (curves) => {
      const [m, a, wv] = ["m", "A", "W_V"].map((setting) => curves.mean(setting, LAST)) as [number, number, number];
      if (Number.isNaN(m)) return "the last tenth of the model has no centre layer";
      return { value: m, holds: m >= MOST && m > Math.max(a, wv), also: `there A ${score(a)}, W_V ${score(wv)}` };
    }),
};
