import { type Html, html } from "../../../report/html.ts";
import { byConcept, mean, panelsOf } from "../../../report/panels.ts";
import { score, table } from "../../../report/tables.ts";
import { destructiveOf, forgottenShare, promptsOf, recoveryOf } from "../rates.ts";
import type { Prompt } from "../schema.ts";
import { keyAnswerOf, meanTracked, type UnpactCell } from "../scores.ts";
import { NONE, scoreOrNone } from "../words.ts";

type Cells = readonly UnpactCell[];

/** What was done, and the result in one table. */
export function summary(cells: Cells): Html {
  const answer = keyAnswerOf(cells[0]!);
  const head = [
    "model · method",
    "concepts",
    "forgotten",
    "recovered by key words",
    "by other words",
    "by a neutral suffix",
    "other answers destroyed",
    "key words kept",
    "on other questions",
  ];
  return html`<p>unPact asks which <strong>words of the prompt</strong> a model listens to: how much log-probability an answer loses when a word is left out.
The words that count in the vanilla model are its key words. They were emphasised in the prompts of the unlearned model, whose weights stay as
they are: does the forgotten answer come back?</p>
${table(
  "Key words",
  head,
  panelsOf(cells).map(({ title, cells: own }) => [
    title,
    byConcept(own).length,
    countText(forgottenShare(own)),
    meanRate(own, ({ kind, control }) => kind === "emphasis" && !control),
    meanRate(own, ({ kind, control }) => kind === "emphasis" && control),
    meanRate(own, ({ kind }) => kind === "neutral"),
    scoreOrNone(destructiveOf(own).rate),
    scoreOrNone(meanTracked(own, "target", answer, "jaccard")),
    scoreOrNone(meanTracked(own, "unrelated", answer, "jaccard")),
  ]),
)}
<p class="quiet">Forgotten: of the questions about the concept that are asked again, those that were answered right before and wrong after, of those
right before. Recovered: the share of the forgotten ones that is answered right, a mean over the ways to emphasise. Key words kept: Jaccard's
index of the key words before and after.</p>`;
}

/** The mean recovery rate of some ways to ask again, of those that have one. */
function meanRate(cells: Cells, chosen: (prompt: Prompt) => boolean): string {
  const rates = promptsOf(cells)
    .filter(chosen)
    .map((prompt) => recoveryOf(cells, prompt).rate)
    .filter((rate) => rate !== null);
  return rates.length > 0 ? score(mean(rates)) : NONE;
}

function countText({ count, of }: { readonly count: number; readonly of: number }): string {
  return `${count} of ${of}`;
}
