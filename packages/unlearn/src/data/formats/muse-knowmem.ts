import { z } from "zod";
import { type DataFormat, hasFields } from "./format.ts";
import { questionSet } from "./question-set.ts";
import { sentence } from "./sentence.ts";
import { isPerturbed } from "./tofu.ts";

const record = z.object({ question: sentence, answer: sentence });

/** MUSE (Shi et al. 2024), knowledge memorisation: questions about news or books, with short answers. */
export const museKnowmem: DataFormat<z.infer<typeof record>> = {
  name: "muse-knowmem",
  description: "MUSE's knowmem: question, answer",
  recognises: (value) => hasFields(value, "question", "answer") && !hasFields(value, "choices") && !isPerturbed(value),
  record,
  concepts: (records, { path }) => [
    questionSet(
      path,
      records.map(({ value }) => ({ ...value, paraphrases: [] })),
    ),
  ],
};
