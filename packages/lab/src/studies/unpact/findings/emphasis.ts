import type { Claim } from "../../../report/findings/claim.ts";
import { mean } from "../../../report/panels.ts";
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
    numbers(some, drawn) {
      const sums = some.map((cell) => sumsOf(cell, drawn));
      return sums[0]!.map((_, i) => mean(sums.map((each) => each[i]!)));
    },
    judge([key, other, neutral, questions]) {
      if (questions === 0) return "no answer was forgotten whose question has key words and other words";
      const [value, byOther, byNeutral] = [key!, other!, neutral!].map((sum) => sum / questions!);
      return {
        value: value!,
        holds: value! >= BACK && value! > byOther! && value! > byNeutral!,
        also: `other words ${score(byOther!)}, neutral suffix ${score(byNeutral!)}`,
      };
    },
  }),
};

/** Of the forgotten questions that were asked with key words and with each control: how much each brings back, as sums, and their number. */
function sumsOf(
  cell: UnpactCell,
  drawn?: readonly number[],
): [key: number, other: number, neutral: number, count: number] {
  const { elicited } = cell.result;
  const of = (kind: "emphasis" | "neutral", control: boolean, question: number) =>
    elicited
      .filter((prompt) => prompt.kind === kind && prompt.control === control)
      .map(({ subject }) => subject[question]!);
  const forgotten = new Set(forgottenOf(cell));
  const questions = (drawn ?? [...cell.result.attributed.target.keys()])
    .filter((question) => forgotten.has(question))
    .map((question) => [of("emphasis", false, question), of("emphasis", true, question), of("neutral", true, question)])
    .filter((each) => each.flat().every((right) => right !== null));
  const sum = (i: number) => questions.reduce((total, each) => total + mean(each[i]!.map(Number)), 0);
  return [sum(0), sum(1), sum(2), questions.length];
}
