import { describeCounts } from "../subjects/compared.ts";
import { type Html, html } from "./html.ts";
import { endOfBleu, panelsOf, type ReportCell, seedOf, subjectTitle } from "./panels.ts";
import { score } from "./tables.ts";

type Example = ReportCell["subject"]["examples"]["target"][number];

/** With more cells than this, those of one model and subject are folded together. */
const MOST_CELLS = 40;

/** Answers before and after, cell by cell. All cells but the first are folded. */
export function answers(cells: readonly ReportCell[]): Html {
  if (cells.length <= MOST_CELLS) return html`${cells.map((cell, i) => answersOf(cell, cells, i === 0))}`;
  return html`${panelsOf(cells).map(
    ({ title, cells: own }) => html`<details><summary>${title}: ${own.length} models</summary>
${own.map((cell) => answersOf(cell, cells, false))}</details>\n`,
  )}`;
}

function answersOf(cell: ReportCell, all: readonly ReportCell[], open: boolean): Html {
  return html`<details${open ? html` open` : ""}>
<summary><strong>${cell.config.concept.name}</strong>, ${[subjectTitle(cell), cell.config.model.name, seedOf(cell, all)].filter(Boolean).join(", ")}
<span class="quiet">(mean BLEU: target ${score(endOfBleu([cell], "target"))}, unrelated ${score(endOfBleu([cell], "unrelated"))})</span></summary>
<p class="quiet">Of the vanilla model's answers, target: ${describeCounts(cell.subject.vanilla.target, cell.config.evaluation)}; unrelated:
${describeCounts(cell.subject.vanilla.unrelated, cell.config.evaluation)}.</p>
${answerTable("About the concept", cell.subject.examples.target)}
${answerTable("About other things", cell.subject.examples.unrelated)}
</details>\n`;
}

function answerTable(title: string, examples: readonly Example[]): Html | string {
  if (examples.length === 0) return "";
  return html`<table class="answers">
<thead><tr><th>${title}</th><th>Before</th><th>After</th></tr></thead>
<tbody>${examples.map(
    ({ question, before, after }) =>
      html`<tr><td>${question.trim()}</td><td>${shown(before)}</td><td>${shown(after)}</td></tr>\n`,
  )}</tbody>
</table>`;
}

function shown(answer: string): Html | string {
  return answer.trim() === "" ? html`<span class="quiet">(no text)</span>` : answer.trim();
}
