import { html, nothing, type TemplateResult } from "lit-html";
import { styleMap } from "lit-html/directives/style-map.js";
import { seriesColour } from "../../report/figures/colours.ts";
import { score } from "../../report/tables.ts";
import type { Catalogue } from "../laboratory/messages.ts";
import { type CellState, type Run, unlearnedOf } from "../run.ts";
import type { Actions, Restored, State } from "../state.ts";
import { figure } from "./figure.ts";

/** What comes back when a part is restored: KRS by layer, beside the controls. */
export function recovery(
  { catalogue, figures, reading, run }: State,
  cell: CellState,
  actions: Actions,
): TemplateResult {
  const swept = catalogue.restorations.filter(({ name }) => cell.krs[name]);
  const ready = run!.state === "finished";
  const question = reading?.question ?? cell.vanilla!.answers.target[0]!.question;
  const read = (restored: Restored) => ready && actions.read(question, restored);
  const beside = swept.filter(({ name }) => figures[`krs-${name}`]);
  return html`<section aria-labelledby="recovery">
    <h2 id="recovery">What comes back</h2>
    <p>One part of the model is put back to what it was, in neighbouring layers: the MLP coefficients <b>m</b>, the value vectors
      <b>W<sub>V</sub></b>, or the attention states <b>A</b>. The Knowledge Recovery Score says how much of the old behaviour returns: 0 is
      nothing, 1 everything.</p>
    <div class="curve">
      ${figure(
        figures.krs,
        ready
          ? "Choose a point, or a score in the table, to read the answer with that part restored."
          : "Curves come in setting by setting.",
        (event) => {
          const point = pointOf(event);
          const setting = point && swept[point.line];
          if (setting) read({ setting: setting.name, centre: cell.krs[setting.name]![point.index]!.centre });
        },
      )}
      ${scores(cell, swept, reading?.restored, ready, read)}
    </div>
    ${
      beside.length > 0
        ? html`<h3>Each part beside its controls</h3>
          <p class="quiet">Dashed and grey: the same restoration in a control. What lies on it says nothing about unlearning.</p>
          <div class="figures">${beside.map(({ name }) => figure(figures[`krs-${name}`]))}</div>`
        : nothing
    }
  </section>`;
}

/** Every score, each a button: a row for each layer, a column for each setting. */
function scores(
  cell: CellState,
  swept: Catalogue["restorations"],
  chosen: Restored | undefined,
  ready: boolean,
  read: (restored: Restored) => void,
): TemplateResult {
  const centres = [...new Set(swept.flatMap(({ name }) => cell.krs[name]!.map(({ centre }) => centre)))].sort(
    (a, b) => a - b,
  );
  return html`<table class="picks">
    <caption class="hidden">Knowledge Recovery Score by centre layer and restored part</caption>
    <thead><tr><th scope="col">layer</th>${swept.map(({ label }) => html`<th scope="col">${label}</th>`)}</tr></thead>
    <tbody>${centres.map(
      (centre) =>
        html`<tr><th scope="row">${centre}</th>${swept.map(({ name, label, place }) => {
          const krs = cell.krs[name]!.find((one) => one.centre === centre)?.krs;
          if (krs === undefined) return html`<td></td>`;
          const share = Math.round(45 * Math.min(1, Math.max(0, krs)));
          const background = `color-mix(in srgb, ${seriesColour(place)} ${share}%, var(--background))`;
          return html`<td><button type="button" style=${styleMap({ background })} ?disabled=${!ready}
          aria-pressed=${chosen?.setting === name && chosen.centre === centre ? "true" : "false"}
          aria-label=${`${label} restored around layer ${centre}: KRS ${score(krs)}`}
          @click=${() => read({ setting: name, centre })}>${score(krs)}</button></td>`;
        })}</tr>`,
    )}</tbody>
  </table>`;
}

/** The line and the value whose mark was clicked, by their places. */
function pointOf({ target, currentTarget }: Event): { readonly line: number; readonly index: number } | undefined {
  const mark = (target as Element).closest(".mark-symbol path");
  if (!mark?.parentElement) return undefined;
  const groups = [...(currentTarget as Element).querySelectorAll(".mark-symbol")];
  return { line: groups.indexOf(mark.parentElement), index: [...mark.parentElement.children].indexOf(mark) };
}

/** Whether a run has scores to show. */
export function hasRecovery(run: Run): boolean {
  return Object.keys(unlearnedOf(run)?.krs ?? {}).length > 0;
}
