import type { Claim } from "../../../report/findings/claim.ts";
import { meanOfLists } from "../../../report/panels.ts";
import type { UnpactCell } from "../scores.ts";
import { ABSTRACT, NOT_KNOWN } from "./texts.ts";

/** From this share of lost answers on, a model was damaged as a whole. */
const DESTROYED = 0.2;

/** The other side of the paper's dilemma: what unlearns, destroys. */
export const destruction: Claim<UnpactCell> = {
  id: "unpact.destruction",
  claim: "Unlearning destroys answers about other things",
  source: ABSTRACT,
  measure: "destructive rate: of the unrelated answers right before, the share wrong after",
  paper: NOT_KNOWN,
  criterion: `the mean is at least ${DESTROYED}`,
  beyond: "higher",
  on: (cells) => ({
    questions: Math.min(...cells.map(({ result }) => result.judged.unrelated.length)),
    numbers(some, drawn) {
      const counts = some.map(({ result: { judged } }) => {
        const questions = drawn ? drawn.map((question) => judged.unrelated[question]!) : judged.unrelated;
        const right = questions.filter(({ before }) => before);
        return [right.filter(({ after }) => !after).length, right.length];
      });
      return meanOfLists(counts);
    },
    judge([lost, right]) {
      if (right === 0) return "no unrelated answer was right before";
      const value = lost! / right!;
      return { value, holds: value >= DESTROYED };
    },
  }),
};
