import type { Claim } from "../../../report/findings/claim.ts";
import type { RestorationCell } from "../scores.ts";
import { onCurves } from "./curves.ts";

const NEARLY_ALL = 0.9;

/** Restoring m and A together brings nearly everything back. */
export const together: Claim<RestorationCell> = {
  id: "restoration.m+A",
  claim: "Restoring m and A together brings nearly all back",
  source: "Section 3, Figure 1",
  measure: "highest KRS of m + A around any layer",
  paper: "above 0.9, both models",
  criterion: `the highest mean KRS around any layer is at least ${NEARLY_ALL}`,
  beyond: "higher",
  on: (cells) =>
    onCurves(cells, ["m+A"], (curves) => {
      const { value, where } = curves.peak("m+A");
      return { value, holds: value >= NEARLY_ALL, also: `around ${where}` };
    }),
};
