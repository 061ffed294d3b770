import { rougeL } from "../rouge-l.ts";
import type { Judge } from "./judge.ts";

/** ROUGE-L with the expected answer. It punishes an answer that is right and much longer or shorter. */
export const rougeLJudge: Judge = {
  name: "rouge-l",
  description: "F1 of the longest common subsequence of words with the expected answer",
  threshold: 0.5,
  score: ({ expected, answer }) => rougeL(expected, answer),
};
