import { judgeNamed } from "@lethe/unlearn";
import { type Html, html } from "../../report/html.ts";
import { listed } from "../../report/tables.ts";
import { isControl } from "../../subjects/controls.ts";
import { keyAnswerOf, QUESTION_KINDS, type UnpactCell } from "./scores.ts";
import { answerName } from "./words.ts";

/** How contributions and rates are to be read, which choices are ours, and what none of it can show. */
export function limits(cells: readonly UnpactCell[]): Html {
  const [{ options }] = cells as readonly [UnpactCell];
  const judges = listed(
    cells.map(({ config: { evaluation } }) => {
      const { name, threshold } = evaluation.judge;
      return `${name} (${judgeNamed(name).description}; right from ${threshold})`;
    }),
  );
  const unexpected = QUESTION_KINDS.filter((kind) =>
    cells.some(({ result }) => result.judged[kind].some(({ expected }) => !expected)),
  );
  return html`<p>C(x<sub>i</sub>, y) = LP(x, y) − LP(x without x<sub>i</sub>, y): LP is the mean log-probability of the tokens of the answer y, and x<sub>i</sub> a word
of the question, which was ${options.perturbation === "delete" ? "deleted" : "masked"} (unPact, arXiv 2509.24675). The template around the question stays.</p>
<div class="warning">
<p>${
    cells.some(isControl)
      ? html`<strong>Read every rate beside its controls.</strong> An answer that other words or a neutral suffix bring back as often was not brought back by the key
words. One that a model gives which never saw the concept was not remembered.`
      : html`<strong>No control of unlearning was measured.</strong> Other words and neutral suffixes are in each cell, but what a damaged model, or one that never saw
the concept, would answer is not known here.`
  }</p>
</div>
<ul>
<li><strong>The choices are ours.</strong> We know the paper's formula and the shape of its key-word rule. We do not know its wording of the emphasis, its α, β
and N, which answer y it scores after unlearning, how it compares contributions, nor any of its numbers. Here y is ${answerName(keyAnswerOf(cells[0]!))},
and the readings of the recovery rate and the destructive rate are ours.</li>
<li><strong>Who knows the key words?</strong> They come from the vanilla model. Somebody who has only the unlearned model does not have them, so a recovery rate
is what the model still holds, and not what an attacker gets.</li>
<li><strong>The judge.</strong> The paper lets GPT-4o-mini judge. Here it is a rule: ${judges}. It takes a wrong answer that names the right words for right, and a right
one in other words for wrong.${
    unexpected.length > 0
      ? html` Where the data have no expected answer (${unexpected.map((kind) => (kind === "target" ? "questions about the concept" : "other questions")).join(" and ")}), the vanilla model's
own answer is the one to give, and counts as right before.`
      : ""
  }</li>
<li><strong>A prompt has to be understood.</strong> A small model that was never taught such prompts may lose an answer by the emphasis itself. How often the vanilla
model is right when it is asked so is the most that emphasis can bring back.</li>
<li><strong>A page may hold the answer.</strong> What comes back after a page of text about the concept may have been read there. Compare with a model that never
saw the concept.</li>
<li><strong>One word at a time.</strong> Two words that say the same cover for each other: leaving out either loses little. A prompt with a word less is also a strange
prompt, most of all for a small model.</li>
<li><strong>Few questions.</strong> Rates are of the forgotten questions among the first ${options.targetQuestions} of a concept. Intervals over questions say nothing of other
concepts, models or methods.</li>
</ul>`;
}
