import { html, nothing, type TemplateResult } from "lit-html";
import { formatDuration } from "../../commands/duration.ts";
import { showFigures } from "../../commands/figures.ts";
import type { Run } from "../run.ts";

const STATES = { running: "", finished: "Finished.", stopped: "Stopped." } as const;

/** How far a run is, and what it has said. */
export function progress(run: Run): TemplateResult {
  const { share, stage, now, remarks, cells, cell, state, forecast } = run;
  const number = cells.findIndex(({ id }) => id === cell) + 1;
  const of = cells.length > 1 && number > 0 ? `model ${number} of ${cells.length}` : "";
  const parts = state === "running" ? [of, stage, ...showFigures(now)].filter(Boolean) : [STATES[state]];
  const left = state === "running" && forecast !== undefined ? ` About ${formatDuration(forecast)} a model.` : "";
  return html`<div class="progress">
    <progress max="1" .value=${share} aria-label="Share of the work that is done"></progress>
    <p class="stage">${parts.join(" · ")}${left}</p>
    <p class="hidden" role="status">${state === "running" ? spoken(remarks) : STATES[state]}</p>
    ${
      remarks.length > 0
        ? html`<details><summary>What it said</summary><pre>${remarks.join("\n")}</pre></details>`
        : nothing
    }
  </div>`;
}

/** The last remark, as it is read aloud: without the name of the cell and without what follows its first line. */
function spoken(remarks: readonly string[]): string {
  return (remarks.at(-1) ?? "").replace(/^\S+: /, "").split("\n")[0]!;
}
