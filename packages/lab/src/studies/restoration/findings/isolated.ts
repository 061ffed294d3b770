import type { Claim } from "../../../report/findings/claim.ts";
import { score } from "../../../report/tables.ts";
import type { RestorationCell } from "../scores.ts";
import { onCurves } from "./curves.ts";
import { LAST } from "./last-layers.ts";

/** A component that restores less than this when nothing is held has nothing to lose. */
const LEAST = 0.1;
/** Of its KRS, a component that stays keeps this share or more. */
const STAYS = 0.75;
/** Of its KRS, a component that collapses keeps this share or less. The paper's A keeps about a quarter (LLaMA) and a half (OLMo). */
const COLLAPSES = 0.5;

const texts = { source: "Appendix C, Figure 3" } as const;

/** Isolated, m stays and A collapses: where both were swept, the share of KRS that is left when nothing can leak through the others. */
export const isolated: readonly Claim<RestorationCell>[] = [
  {
    ...texts,
    id: "restoration.m-isolated",
    claim: "Isolated, m of the last layers still brings back what it did",
    measure: "isolated m's KRS as a share of m's, around the last tenth of the layers",
    paper: "still 0.8 or more in the last three layers, both models: about 1",
    criterion: `at relative depth ${LAST} or more, isolated m keeps at least ${STAYS} of m's mean KRS`,
    beyond: "higher",
    on: (cells) =>
      onCurves(cells, ["m", "m-isolated"], (curves) => {
        const [free, held] = [curves.mean("m", LAST), curves.mean("m-isolated", LAST)];
        if (Number.isNaN(free)) return "the last tenth of the model has no centre layer";
        if (free < LEAST) return `m itself has a KRS of ${score(free)} there, too little to keep a share of`;
        return { value: held / free, holds: held / free >= STAYS, also: `m ${score(free)}, isolated ${score(held)}` };
      }),
  },
  {
    ...texts,
    id: "restoration.A-isolated",
    claim: "Isolated, what A brings back collapses",
    measure: "isolated A's highest KRS as a share of A's, at any layer",
    paper: "about 0.08 of 0.3 (LLaMA) and 0.2 of 0.4 (OLMo): about 0.3 and 0.5",
    criterion: `isolated A's highest mean KRS is at most ${COLLAPSES} of A's`,
    beyond: "lower",
    on: (cells) =>
      onCurves(cells, ["A", "A-isolated"], (curves) => {
        const [free, held] = [curves.peak("A"), curves.peak("A-isolated")];
        if (free.value < LEAST) return `A itself reaches a KRS of ${score(free.value)}, too little to collapse`;
        return {
          value: held.value / free.value,
          holds: held.value / free.value <= COLLAPSES,
          also: `A ${score(free.value)} around ${free.where}, isolated ${score(held.value)} around ${held.where}`,
        };
      }),
  },
];
