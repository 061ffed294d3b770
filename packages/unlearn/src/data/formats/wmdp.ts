import { z } from "zod";
import { type DataFormat, hasFields } from "./format.ts";
import { questionSet } from "./question-set.ts";
import { sentence } from "./sentence.ts";

const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

const record = z
  .object({ question: sentence, choices: z.array(sentence).min(2).max(letters.length), answer: z.int() })
  .refine(({ choices, answer }) => choices[answer] !== undefined, {
    path: ["answer"],
    message: "expected the place of the right choice, counted from 0",
  });

/**
 * WMDP (Li et al. 2024): questions with four choices. The model is asked the question with its choices below it, as lm-evaluation-harness asks
 * it, and the expected answer is the text of the right choice.
 */
export const wmdp: DataFormat<z.infer<typeof record>> = {
  name: "wmdp",
  description: "WMDP: question, choices, answer, which is the place of the right choice",
  recognises: (value) => hasFields(value, "question", "choices"),
  record,
  concepts: (records, { path }) => [
    questionSet(
      path,
      records.map(({ value: { question, choices, answer } }) => ({
        question: [question, ...choices.map((choice, i) => `${letters[i]}. ${choice}`)].join("\n"),
        answer: choices[answer]!,
        paraphrases: [],
      })),
    ),
  ],
};
