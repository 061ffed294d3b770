import { spearman } from "@lethe/unlearn";
import { mean, type ReportCell } from "../panels.ts";
import { score } from "../tables.ts";
import type { Claim } from "./claim.ts";

/** With fewer answers than these, before training and after epochs of it, a rank correlation says nothing. */
const LEAST_POINTS = 4;
/** Rank correlation from which two curves fall together. */
const TOGETHER = 0.7;
/** BLEU that must be lost before anything fell. */
const FELL = 0.1;

/** Section 4's claim: what is asked about the concept, and what is asked about other things, is lost together. */
export const globalDamage: Claim<ReportCell> = {
  id: "answers.fall-together",
  claim: "Target and unrelated answers are lost together",
  source: "Section 4, Figure 2",
  measure: "Spearman's rank correlation of target and unrelated BLEU over the epochs",
  paper: "both fall, for all four methods; no correlation is given",
  criterion:
    `both BLEU end at least ${FELL} lower than they began, and the mean correlation is at least ${TOGETHER} ` +
    "(a curve that never changes counts as 0)",
  beyond: "higher",
  on(cells) {
    if (cells.some(({ subject }) => subject.bleu.target.length < LEAST_POINTS))
      return `answers were not recorded at ${LEAST_POINTS} epochs or more`;
    return { numbers: numbersOf, judge };
  },
};

/** Rank correlation, and what is lost of target and unrelated BLEU. */
function numbersOf(cells: readonly ReportCell[]): number[] {
  const lost = (kind: "target" | "unrelated") =>
    mean(cells.map(({ subject: { bleu } }) => bleu[kind][0]! - bleu[kind].at(-1)!));
  const correlations = cells.map(({ subject: { bleu } }) => spearman(bleu.target, bleu.unrelated) ?? 0);
  return [mean(correlations), lost("target"), lost("unrelated")];
}

function judge([correlation, target, unrelated]: readonly number[]) {
  return {
    value: correlation!,
    holds: Math.min(target!, unrelated!) >= FELL && correlation! >= TOGETHER,
    also: `BLEU lost at the end: target ${score(target!)}, unrelated ${score(unrelated!)}`,
  };
}
