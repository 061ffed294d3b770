import { z } from "zod";
import { type DataFormat, hasFields } from "./format.ts";
import { questionSet } from "./question-set.ts";
import { sentence } from "./sentence.ts";

/** The fields that only TOFU has. Its files named `perturbed` have them. */
const own = ["paraphrased_question", "paraphrased_answer", "perturbed_answer"] as const;

const record = z.object({
  question: sentence,
  answer: sentence,
  paraphrased_question: sentence.nullish(),
  paraphrased_answer: sentence.nullish(),
  perturbed_answer: z.array(sentence).min(1).nullish(),
});

/** Whether a record has fields that only TOFU has. */
export function isPerturbed(record: Readonly<Record<string, unknown>>): boolean {
  return own.some((field) => hasFields(record, field));
}

/**
 * TOFU (Maini et al. 2024): questions about authors that do not exist. The paraphrased answer tells the answer's fact in other words. The
 * paraphrased question and the wrong answers are checked, and not used.
 */
export const tofu: DataFormat<z.infer<typeof record>> = {
  name: "tofu",
  description: `TOFU: question, answer, and in some files ${own.join(", ")}`,
  recognises: (value) =>
    hasFields(value, "question") && !hasFields(value, "choices") && (hasFields(value, "answer") || isPerturbed(value)),
  record,
  concepts: (records, { path }) => [
    questionSet(
      path,
      records.map(({ value: { question, answer, paraphrased_answer: other } }) => {
        return { question, answer, paraphrases: other == null ? [] : [other] };
      }),
    ),
  ],
};
