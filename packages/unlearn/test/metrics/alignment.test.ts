import { describe, expect, it } from "vitest";
import { answerRows, MetricError } from "../../src/index.ts";

// Two questions padded on the left to 8 positions; p prompt, a answer, . padding:
//   . . . p p p a a
//   . p p a a a a a
const questions = [
  { prompt: 3, answer: 2 },
  { prompt: 2, answer: 5 },
];

describe("the logit rows of an answer", () => {
  it("are, for the paper, those that predict the answer's tokens", () => {
    expect(answerRows(questions, 8, "paper")).toEqual([
      [5, 6],
      [2, 3, 4, 5, 6],
    ]);
  });

  it("are, as released, the last answer-length rows", () => {
    expect(answerRows(questions, 8, "released")).toEqual([
      [6, 7],
      [3, 4, 5, 6, 7],
    ]);
  });

  it("never touch padding: the first row of the paper's alignment is the prompt's last token", () => {
    for (const [question, rows] of answerRows(questions, 8, "paper").entries()) {
      const { prompt, answer } = questions[question]!;
      expect(rows[0]).toBe(8 - prompt - answer + prompt - 1);
    }
  });

  it.each([
    ["an empty answer", { prompt: 3, answer: 0 }, /0 answer tokens/],
    ["an empty prompt", { prompt: 0, answer: 3 }, /0 prompt tokens/],
    ["a fraction of a token", { prompt: 3, answer: 1.5 }, /1.5 answer tokens/],
    ["more tokens than positions", { prompt: 6, answer: 3 }, /do not fit a batch padded to 8/],
  ])("refuse %s", (_, question, message) => {
    expect(() => answerRows([question], 8, "paper")).toThrow(MetricError);
    expect(() => answerRows([question], 8, "paper")).toThrow(message);
  });
});
