import { checked, type Kind, optional, options, text } from "@lethe/tensor/checked";
import { share } from "../../kinds.ts";
import { MetricError } from "../metric-error.ts";
import type { Judge, JudgedAnswer } from "./judge.ts";
import { judgeNamed } from "./list.ts";

/** Decides about one answer: true or false, or a score from 0 to 1 that is compared with the threshold. */
export type OwnJudge = (judged: JudgedAnswer) => boolean | number;

const judge: Kind = {
  wanted: "the name of a judge, a judge, or a function",
  accepts: (value) =>
    typeof value === "string" || typeof value === "function" || typeof (value as Judge | null)?.score === "function",
};

/**
 * Whether an answer is right.
 * @param judge a judge, its name, or a function of one's own
 * @param threshold the least score of a right answer; by default the judge's own, and 0.5 for a function
 * @throws {LetheError} when there is no judge of this name
 * @throws {MetricError} when a score lies outside 0 to 1
 * @function
 */
export const isRight = checked(
  "isRight",
  {
    judge,
    judged: options({ question: text, expected: text, answer: text }),
    threshold: optional(share),
  },
  (judge: string | Judge | OwnJudge, judged: JudgedAnswer, threshold?: number): boolean => {
    const chosen = typeof judge === "string" ? judgeNamed(judge) : judge;
    const score = typeof chosen === "function" ? chosen(judged) : chosen.score(judged);
    if (typeof score === "boolean") return score;
    if (!(score >= 0 && score <= 1))
      throw new MetricError(
        `A judge gave the score ${score} to the answer to "${judged.question}"; a score is from 0 to 1.`,
      );
    const own = typeof chosen === "function" ? 0.5 : chosen.threshold;
    return score >= (threshold ?? own);
  },
);
