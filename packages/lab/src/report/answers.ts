import { describeCounts } from "../subjects/compared.ts";
import { type Html, html } from "./html.ts";
import { endOfBleu, type ReportCell, seedOf, subjectTitle } from "./panels.ts";
import { score } from "./tables.ts";

type Example = ReportCell["subject"]["examples"]["target"][number];

/** Answers before and after, cell by cell. All cells but the first are folded. */
export function answers(cells: readonly ReportCell[]): Html {
  return html`${cells.map(
    (cell, i) => html`<details${i === 0 ? html` open` : ""}>
<summary><strong>${cell.config.concept.name}</strong>, ${[subjectTitle(cell), cell.config.model.name, seedOf(cell, cells)].filter(Boolean).join(", ")}
<span class="quiet">(mean BLEU: target ${score(endOfBleu([cell], "target"))}, unrelated ${score(endOfBleu([cell], "unrelated"))})</span></summary>
<p class="quiet">Of the vanilla model's answers, target: ${describeCounts(cell.subject.vanilla.target, cell.config.evaluation)}; unrelated:
${describeCounts(cell.subject.vanilla.unrelated, cell.config.evaluation)}.</p>
${answerTable("About the concept", cell.subject.examples.target)}
${answerTable("About other things", cell.subject.examples.unrelated)}
</details>\n`,
  )}`;
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
