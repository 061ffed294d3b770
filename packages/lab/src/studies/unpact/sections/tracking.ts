import { type Html, html } from "../../../report/html.ts";
import { panelsOf } from "../../../report/panels.ts";
import { table } from "../../../report/tables.ts";
import {
  contributionsOf,
  keyAnswerOf,
  meanTracked,
  meanWhereThere,
  QUESTION_KINDS,
  type UnpactCell,
} from "../scores.ts";
import { answerName, scoreOrNone } from "../words.ts";

/** How far the words' contributions are still the vanilla model's, for each answer that is scored. */
export function tracking(cells: readonly UnpactCell[]): Html {
  const { answers } = cells[0]!.options;
  const usual = keyAnswerOf(cells[0]!);
  const tableOf = (answer: (typeof answers)[number]) =>
    table(
      `Contributions to ${answerName(answer)}`,
      [
        "model · method",
        "questions",
        "Spearman",
        "Jaccard of key words",
        "share left",
        "log-probability before",
        "after",
      ],
      panelsOf(cells).flatMap(({ title, cells: own }) =>
        QUESTION_KINDS.map((kind) => {
          const logProb = (model: "before" | "after") =>
            scoreOrNone(
              meanWhereThere(own, (cell) => contributionsOf(cell, kind, answer).map((both) => both[model].logProb)),
            );
          return [
            title,
            kind === "target" ? "about the concept" : "others",
            ...(["spearman", "jaccard", "share"] as const).map((field) =>
              scoreOrNone(meanTracked(own, kind, answer, field)),
            ),
            logProb("before"),
            logProb("after"),
          ];
        }),
      ),
    );
  return html`<p>The contributions of a prompt's words before and after, prompt by prompt: the rank correlation of all words, how far the sets of key words
agree (1: the same, 0: none in common), and how much of the vanilla key words' positive contribution is left (above 1: they count for more).
Where unlearning took the focus from the key words, all three are lower on questions about the concept than on others.</p>
${tableOf(usual)}
<p class="quiet">Contributions to ${answerName(usual)}. Means over questions, seeds and concepts, of the questions that have a number: a rank correlation needs
words that differ, and a share needs a key word.</p>
${answers
  .filter((answer) => answer !== usual)
  .map(
    (answer) => html`<details><summary>The same for ${answerName(answer)}</summary>
${tableOf(answer)}</details>\n`,
  )}`;
}
