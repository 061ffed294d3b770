import type { SettingName } from "@lethe/unlearn";
import type { Claim } from "../../../report/findings/claim.ts";
import type { RestorationCell } from "../scores.ts";
import { onCurves } from "./curves.ts";

/** A component that restores less than this share of the vanilla model's behaviour restores nothing. */
const NOTHING = 0.05;

/** The claim that value vectors restore nothing, in a setting. */
function nothing(
  setting: SettingName,
  texts: Pick<Claim<RestorationCell>, "id" | "claim" | "source" | "paper" | "measure">,
) {
  return {
    ...texts,
    criterion: `the mean KRS is below ${NOTHING} around every layer`,
    beyond: "lower",
    on: (cells) =>
      onCurves(cells, [setting], (curves) => {
        const { value, where } = curves.peak(setting);
        return { value, holds: value < NOTHING, also: `around ${where}` };
      }),
  } satisfies Claim<RestorationCell>;
}

/** Restoring W_V brings nothing back. */
export const valueVectors = [
  nothing("W_V", {
    id: "restoration.W_V",
    claim: "Restoring W_V brings back almost nothing",
    source: "Section 3, Figure 1",
    measure: "highest KRS of W_V around any layer",
    paper: "below 0.001 around every layer, both models",
  }),
  nothing("W_V-isolated", {
    id: "restoration.W_V-isolated",
    claim: "Isolated, W_V brings back almost nothing",
    source: "Appendix C, Figure 3",
    measure: "highest KRS of isolated W_V around any layer",
    paper: "negligible, both models",
  }),
];
