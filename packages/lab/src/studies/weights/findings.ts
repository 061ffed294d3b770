import type { WeightGroup } from "@lethe/unlearn";
import type { Claim } from "../../report/findings/claim.ts";
import { mean } from "../../report/panels.ts";
import { lowestCosine, type WeightsCell } from "./scores.ts";

/** The paper's bound. */
const HARDLY_MOVED = 0.999;

/** The components that the paper calls minor. */
const MINOR: readonly WeightGroup[] = ["unembedding", "norms"];

/** Section 6's claim: unembedding and norms stay almost where they were. */
export const minorComponents: Claim<WeightsCell> = {
  id: "weights.minor-components",
  claim: "Minor components barely move",
  source: "Section 6",
  measure: "lowest cosine similarity of unembedding and norms with the vanilla model's",
  paper: `above ${HARDLY_MOVED}`,
  criterion: `the lowest cosine similarity of any of them, as a mean over methods and concepts, is above ${HARDLY_MOVED}`,
  beyond: "higher",
  on(cells) {
    // OLMo's norms have no weights.
    const groups = MINOR.filter((group) => cells.every((cell) => lowestCosine([cell], group) !== null));
    if (groups.length === 0) return "no unembedding and no norm has a cosine similarity in every model";
    return {
      numbers: (some) => groups.map((group) => mean(some.map((cell) => lowestCosine([cell], group)!))),
      judge: (lowest) => {
        const value = Math.min(...lowest);
        return {
          value,
          holds: value > HARDLY_MOVED,
          also: groups.map((group, i) => `${group} ${lowest[i]!.toFixed(5)}`).join(", "),
        };
      },
    };
  },
};
