import type { Claim } from "../../../report/findings/claim.ts";
import { mean, meanOfLists } from "../../../report/panels.ts";
import { score } from "../../../report/tables.ts";
import { forgottenOf } from "../rates.ts";
import type { UnpactCell } from "../scores.ts";
import { ABSTRACT, NOT_KNOWN } from "./texts.ts";

/** Of the forgotten answers, emphasis brings back at least this share. */
const BACK = 0.2;

/** The second finding: emphasis of the key words brings forgotten answers back. */
export const emphasis: Claim<UnpactCell> = {
  id: "unpact.emphasis",
  claim: "Emphasis of the key words brings forgotten answers back",
  source: ABSTRACT,
  measure:
    "recovery rate: of the answers right before and wrong after, the share right under emphasis, a mean over the emphases",
  paper: `“much of the knowledge”; numbers ${NOT_KNOWN}`,
  criterion: `the mean is at least ${BACK}, and higher than with other words of the question and than with a neutral suffix`,
  beyond: "higher",
  on: (cells) => ({
    questions: Math.min(...cells.map(({ result }) => result.attributed.target.length)),
    numbers: (some, drawn) => meanOfLists(some.map((cell) => sumsOf(cell, drawn))),
    judge([key, other, neutral, vanilla, questions]) {
      if (questions === 0) return "no answer was forgotten whose question has key words and other words";
      const [value, byOther, byNeutral, ofVanilla] = [key!, other!, neutral!, vanilla!].map((sum) => sum / questions!);
      return {
        value: value!,
        holds: value! >= BACK && value! > byOther! && value! > byNeutral!,
        also:
          `other words ${score(byOther!)}, neutral suffix ${score(byNeutral!)}; asked with the same emphasis, the vanilla model is right in ` +
          `${score(ofVanilla!)}`,
      };
    },
  }),
};

/**
 * Of the forgotten questions that were asked with key words and with each control: how much each brings back, and how much of it the vanilla model
 * itself answers with key words, as sums; and their number.
 */
function sumsOf(cell: UnpactCell, drawn?: readonly number[]): number[] {
  const of = (
    kind: "emphasis" | "neutral",
    control: boolean,
    question: number,
    model: "vanilla" | "subject" = "subject",
  ) =>
    cell.result.elicited
      .filter((prompt) => prompt.kind === kind && prompt.control === control)
      .map((prompt) => prompt[model][question]!);
  const forgotten = new Set(forgottenOf(cell));
  const questions = (drawn ?? [...cell.result.attributed.target.keys()])
    .filter((question) => forgotten.has(question))
    .map((question) => [
      of("emphasis", false, question),
      of("emphasis", true, question),
      of("neutral", true, question),
      of("emphasis", false, question, "vanilla"),
    ])
    .filter((each) => each.flat().every((right) => right !== null));
  const sum = (i: number) => questions.reduce((total, each) => total + mean(each[i]!.map(Number)), 0);
  return [sum(0), sum(1), sum(2), sum(3), questions.length];
}
