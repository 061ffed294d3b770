import { z } from "zod";
import { type DataFormat, hasFields } from "./format.ts";
import { questionSet } from "./question-set.ts";
import { sentence } from "./sentence.ts";

const record = z.object({ prompt: sentence, gt: sentence });

/** A text that goes on with this had no space before it. */
const closing = /^[,.;:!?)\]}]/;

/** MUSE (Shi et al. 2024), verbatim memorisation: a piece of running text, and how it goes on. */
export const museVerbmem: DataFormat<z.infer<typeof record>> = {
  name: "muse-verbmem",
  description: "MUSE's verbmem: prompt, gt, which is how the text goes on",
  recognises: (value) => hasFields(value, "prompt", "gt"),
  record,
  concepts: (records, { path }) => [
    questionSet(
      path,
      records.map(({ value: { prompt, gt } }) => ({ question: prompt, answer: gt, paraphrases: [] })),
      records.map(({ value: { prompt, gt } }) => prompt + (closing.test(gt) ? "" : " ") + gt),
    ),
  ],
};
