import type { Claim } from "../../../report/findings/claim.ts";
import { score } from "../../../report/tables.ts";
import type { RestorationCell } from "../scores.ts";
import { onCurves } from "./curves.ts";

const MIDDLE = 0.5;
/** How much higher KRS must be in the deeper half. */
const RISE = 0.1;
/** The paper's lower height for A; m is higher there. */
const HEIGHT = 0.3;

/** The claim that a component restores from the middle layers on, and not before. */
function fromTheMiddle(component: "m" | "A", paper: string): Claim<RestorationCell> {
  return {
    id: `restoration.${component}-from-middle`,
    claim: `Restoring ${component} brings knowledge back from the middle layers on`,
    source: "Section 3, Figure 1",
    measure: `mean KRS of ${component} in the deeper half of the layers less that in the shallower half`,
    paper,
    criterion: `mean KRS around layers at relative depth ${MIDDLE} or more is at least ${RISE} higher than before, and reaches ${HEIGHT} there`,
    beyond: "higher",
    on: (cells) =>
      onCurves(cells, [component], (curves) => {
        const [before, after] = [curves.mean(component, 0, MIDDLE), curves.mean(component, MIDDLE)];
        if (Number.isNaN(before + after)) return "one half of the model has no centre layer";
        const peak = curves.peak(component, MIDDLE);
        return {
          value: after - before,
          holds: after - before >= RISE && peak.value >= HEIGHT,
          also: `shallower half ${score(before)}, deeper half ${score(after)}; highest there ${score(peak.value)} around ${peak.where}`,
        };
      }),
  };
}

/** Restoring A, and restoring m, brings knowledge back from the middle layers on. */
export const fromMiddle = [
  fromTheMiddle("A", "rises from layer 15 of 32, more from 27, to above 0.3 (LLaMA) and 0.4 (OLMo)"),
  fromTheMiddle("m", "rises from layer 20 of 32, more from 29, to 0.8 or more"),
];
