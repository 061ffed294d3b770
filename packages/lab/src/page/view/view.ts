import { html, nothing, type TemplateResult } from "lit-html";
import { unlearnedOf } from "../run.ts";
import type { Actions, State } from "../state.ts";
import { form } from "./form.ts";
import { noGpu } from "./no-gpu.ts";
import { progress } from "./progress.ts";
import { reading } from "./reading.ts";
import { hasRecovery, recovery } from "./recovery.ts";
import { saving } from "./saving.ts";
import { training } from "./training.ts";

/** The whole page. */
export function view(state: State, actions: Actions): TemplateResult {
  const { run } = state;
  const cell = run && unlearnedOf(run);
  const finished = run?.state === "finished";
  return html`
    <header>
      <h1>Lethe, the laboratory</h1>
      <p class="lead">Make a language model forget something. Then put parts of it back, and see what returns.</p>
    </header>
    ${state.gpu ? nothing : noGpu}
    ${form(state, actions)}
    ${state.problem ? html`<div class="warning" role="alert"><p>${state.problem}</p></div>` : nothing}
    ${run ? progress(run) : nothing}
    ${cell && (cell.vanilla || cell.losses.length > 0) ? training(state, cell) : nothing}
    ${cell && hasRecovery(run) ? recovery(state, cell, actions) : nothing}
    ${cell?.vanilla && finished ? reading(state, cell, actions) : nothing}
    ${finished ? saving(state, actions) : nothing}
  `;
}
