import { KNOWN_FROM } from "../subjects/known-answers.ts";
import { type Html, html } from "./html.ts";
import { endOfBleu, type ReportCell, subjectTitle } from "./panels.ts";
import { score } from "./tables.ts";

/** Below this mean BLEU on unrelated questions a model no longer works. */
const COLLAPSED_BELOW = 0.3;

/** What the numbers of any study cannot show, and which models of this report need care. */
export function limits(cells: readonly ReportCell[]): Html {
  const collapsed = cells.filter((cell) => endOfBleu([cell], "unrelated") < COLLAPSED_BELOW);
  const ignorant = cells.filter(({ subject }) => (subject.vanilla.targetExact ?? 1) < KNOWN_FROM);
  return html`<ul>
<li><strong>BLEU compares words.</strong> A right answer in other words has a low score. Where the unrelated answers are lost too, the
training damaged the model as a whole; this depends much on the learning rate.</li>
<li><strong>Few runs.</strong> ${counted(cells)} Thin lines in figures are single concepts; they are not a confidence
interval.</li>
${
  collapsed.length > 0
    ? html`<li><strong>Collapsed models.</strong> Mean BLEU on unrelated questions ended below ${score(COLLAPSED_BELOW)} for
${collapsed.map(nameOf).join("; ")}. Numbers measured on them describe a broken model.</li>`
    : ""
}${
  ignorant.length > 0
    ? html`<li><strong>Not known before.</strong> The vanilla model gave the expected answer to fewer than ${KNOWN_FROM * 100}% of the
target questions of ${ignorant.map((cell) => `${nameOf(cell)} (${Math.round(cell.subject.vanilla.targetExact! * 100)}%)`).join("; ")}.</li>`
    : ""
}
</ul>`;
}

function counted(cells: readonly ReportCell[]): string {
  const count = (noun: string, of: (cell: ReportCell) => string | number) => {
    const { size } = new Set(cells.map(of));
    return `${size} ${noun}${size === 1 ? "" : "s"}`;
  };
  const models = count("model", ({ config }) => config.model.name);
  const concepts = count("concept", ({ config }) => config.concept.name);
  return `${models}, ${concepts}, ${count("seed", ({ config }) => config.seed)}.`;
}

function nameOf(cell: ReportCell): string {
  return `${cell.config.concept.name} (${subjectTitle(cell)}, ${cell.config.model.name})`;
}
