import { strip } from "../../white-space.ts";
import type { Judge } from "./judge.ts";

/** The expected answer, word for word: for models that were trained on the data's own answers, as the bundled ones were. */
export const exact: Judge = {
  name: "exact",
  description: "word for word the expected answer",
  threshold: 1,
  score: ({ expected, answer }) => (strip(answer) === strip(expected) ? 1 : 0),
};
