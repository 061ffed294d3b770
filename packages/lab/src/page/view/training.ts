import { html, nothing, type TemplateResult } from "lit-html";
import type { LiveAnswer } from "../../subjects/live.ts";
import type { CellState } from "../run.ts";
import type { State } from "../state.ts";
import { figure } from "./figure.ts";

/** The model while it forgets: loss, BLEU, and answers after each epoch. */
export function training({ figures }: State, cell: CellState): TemplateResult {
  const { vanilla, epochs } = cell;
  const last = epochs.at(-1);
  return html`<section aria-labelledby="training">
    <h2 id="training">While it unlearns</h2>
    <div class="figures">
      ${figure(figures.loss, "The method's loss at each optimiser step.")}
      ${figure(figures.bleu, "BLEU of the answers against those before. Target should fall, and unrelated should not.")}
    </div>
    ${
      vanilla
        ? html`${answers("About the concept", vanilla.answers.target, last?.answers.target, last?.epoch)}
          ${answers("About other things", vanilla.answers.unrelated, last?.answers.unrelated, last?.epoch)}`
        : nothing
    }
  </section>`;
}

/** Answers before, and at the moment. */
function answers(
  title: string,
  before: readonly LiveAnswer[],
  now: readonly LiveAnswer[] | undefined,
  epoch: number | undefined,
): TemplateResult {
  return html`<table class="answers">
    <thead><tr><th scope="col">${title}</th><th scope="col">Before</th><th scope="col">${epoch === undefined ? "After" : `After epoch ${epoch}`}</th></tr></thead>
    <tbody>${before.map(
      ({ question, text }, i) =>
        html`<tr><td>${question.trim()}</td><td>${shown(text)}</td><td class=${now && now[i]!.text !== text ? "changed" : ""}>${now ? shown(now[i]!.text) : "…"}</td></tr>`,
    )}</tbody>
  </table>`;
}

function shown(answer: string): string | TemplateResult {
  return answer.trim() === "" ? html`<span class="quiet">(no text)</span>` : answer.trim();
}
