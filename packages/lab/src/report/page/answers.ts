import type { CellResult } from "../../experiment/cell.ts";
import { METHOD_NAMES } from "../panels.ts";
import { type Html, html } from "./html.ts";
import { score } from "./tables.ts";

type Example = CellResult["examples"]["target"][number];

/** Answers of one cell before and after unlearning, folded away unless `open`. */
export function answers(cell: CellResult, open: boolean): Html {
  const { config, examples, bleu } = cell;
  const { objective } = config.training;
  return html`<details${open ? html` open` : ""}>
<summary><strong>${config.concept.name}</strong>, ${METHOD_NAMES[objective.name]}, ${config.model.name}
<span class="quiet">(mean BLEU: target ${score(bleu.target.at(-1)!)}, unrelated ${score(bleu.unrelated.at(-1)!)})</span></summary>
${answerTable("About the concept", examples.target)}
${answerTable("About other things", examples.unrelated)}
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
