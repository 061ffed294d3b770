import { anyObject, atLeast, checked, listOf, oneOf } from "@lethe/tensor/checked";
import { MetricError } from "./metric-error.ts";

/** Which logit rows of an answer are compared; see {@link answerRows}. */
export const ALIGNMENTS = ["paper", "released"] as const;
export type Alignment = (typeof ALIGNMENTS)[number];

/** By how many rows an answer's rows come before its tokens. */
const before: Readonly<Record<Alignment, number>> = { paper: 1, released: 0 };

/** The token counts of one question in a left-padded batch: padding, then the prompt, then the answer up to the end. */
export interface QuestionLengths {
  readonly prompt: number;
  readonly answer: number;
}

/**
 * The rows of a left-padded batch's logits `[question, position, vocabulary]` at which answers are compared. Row r predicts the
 * token at position r + 1, and the answer of a tokens is at positions T − a … T − 1. So
 *
 * - `paper` takes the rows that predict the answer's tokens, T − a − 1 … T − 2: "the logits of the subsequent token" (arXiv
 *   2410.06606, Section 3);
 * - `released` takes the last a rows, T − a … T − 1, as the authors' notebooks do (`[-answers_tokens_num:]`): the row that predicts
 *   the token after the answer is in, the row that predicts the first answer token is out.
 *
 * @param questions one entry a question of the batch
 * @param positions T, the padded length of the batch
 * @returns for each question its rows in ascending order, as many as its answer has tokens
 * @throws MetricError when a question has no prompt or answer token, or does not fit
 * @function
 */
export const answerRows = checked(
  "answerRows",
  { questions: listOf(anyObject), positions: atLeast(0), alignment: oneOf(ALIGNMENTS) },
  (questions: readonly QuestionLengths[], positions: number, alignment: Alignment): number[][] => {
    return questions.map(({ prompt, answer }, question) => {
      for (const [what, length] of [["prompt", prompt] as const, ["answer", answer] as const]) {
        if (!Number.isInteger(length) || length < 1) {
          throw new MetricError(
            `Question ${question} has ${length} ${what} tokens; at least one is needed to compare its answer.`,
          );
        }
      }
      if (prompt + answer > positions) {
        throw new MetricError(
          `Question ${question} has ${prompt} prompt and ${answer} answer tokens, which do not fit a batch padded to ${positions}.`,
        );
      }
      const first = positions - answer - before[alignment];
      return Array.from({ length: answer }, (_, i) => first + i);
    });
  },
);
