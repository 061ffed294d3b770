import { type Html, html } from "../../../report/html.ts";
import { byConcept, panelsOf, seedOf, subjectTitle } from "../../../report/panels.ts";
import { figure, table } from "../../../report/tables.ts";
import { destructiveOf, keptOf, promptsOf, recoveryOf } from "../rates.ts";
import type { UnpactCell } from "../scores.ts";
import { promptName, rateText } from "../words.ts";

type Cells = readonly UnpactCell[];

/** Recovery and destructive rates: a figure, a table for each vanilla model, and some answers. */
export function recovery(cells: Cells, rates: string): Html {
  const models = [...new Set(cells.map(({ config }) => config.model.name))];
  return html`${figure(
    "Forgotten answers, asked for again",
    rates,
    html`Of the questions about the concept that were answered right before unlearning and wrong after it, the share that is answered right when they
are asked in another way. Under each emphasis of the key words stands its control, the same emphasis of as many other words of the question; a
neutral suffix says nothing about it. Under each context stands the same about another concept. The last row: of other questions that were
answered right before, the share that is answered wrong. Lines: Wilson's 95% intervals over questions.`,
  )}
${models.map((model) => ratesTable(cells.filter(({ config }) => config.model.name === model)))}
<p class="quiet">Rate [95% interval], questions. Last column: how often the vanilla model itself still answers right when it is asked so; where it does not, the
prompt asks for something else. Every verdict is in <code>elicited.csv</code>.</p>
${examples(cells)}`;
}

/** One row a way to ask again, one column a subject, controls beside. */
function ratesTable(cells: Cells): Html {
  const panels = panelsOf(cells);
  const prompts = promptsOf(cells);
  // All cells of a concept have the same vanilla model.
  const concepts = byConcept(cells).map(([first]) => first!);
  return table(
    `Recovery rates: ${panels[0]!.model}`,
    [panels[0]!.model, ...panels.map(({ subject }) => subject), "vanilla"],
    [
      ...prompts.map((prompt) => [
        promptName(prompt),
        ...panels.map(({ cells: own }) => rateText(recoveryOf(own, prompt))),
        rateText(keptOf(concepts, prompt)),
      ]),
      ["other answers destroyed", ...panels.map(({ cells: own }) => rateText(destructiveOf(own))), ""],
    ],
    "stacked",
  );
}

/** Answers to questions that were asked again, cell by cell, folded. */
function examples(cells: Cells): Html {
  const shown = cells.filter(({ result }) => result.examples.length > 0);
  if (shown.length === 0) return html``;
  return html`<details><summary>Answers to questions that were asked again</summary>
${shown.map(
  (
    cell,
  ) => html`<h3>${[cell.config.concept.name, subjectTitle(cell), cell.config.model.name, seedOf(cell, cells)].filter(Boolean).join(", ")}</h3>
<table class="answers"><thead><tr><th>Asked</th><th>Answer</th><th>By</th></tr></thead>
<tbody>${cell.result.examples.map(
    ({ kind, name, control, asked, answer, right }) =>
      html`<tr><td>${asked}</td><td>${answer === "" ? html`<span class="quiet">(no text)</span>` : answer}</td><td>${promptName({ kind, name, control })}: ${right ? "right" : "wrong"}</td></tr>\n`,
  )}</tbody></table>\n`,
)}</details>`;
}
