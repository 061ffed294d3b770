import { html, type TemplateResult } from "lit-html";
import type { Actions, Saved, State } from "../state.ts";

const SAVED: readonly (readonly [Saved, string, string])[] = [
  ["report", "Report", "one page that needs nothing else"],
  ["results", "All results", "report, CSV, figures and cells, in a ZIP"],
  ["checkpoint", "Checkpoint", "the unlearned model in Hugging Face's format, in a ZIP"],
];

/** What can be taken away: files, a link, and the command that makes the same. */
export function saving({ saving: busy, run, notice }: State, actions: Actions): TemplateResult {
  return html`<section aria-labelledby="saving">
    <h2 id="saving">Take it with you</h2>
    <ul class="saved">${SAVED.map(
      ([what, label, description]) =>
        html`<li><button type="button" ?disabled=${busy !== undefined} @click=${() => actions.save(what)}>${label}</button> <span class="quiet">${busy === what ? "being made …" : description}</span></li>`,
    )}
      <li><button type="button" @click=${actions.copyLink}>Copy the link</button> <span class="quiet" role="status">${notice ?? "the same settings, in another tab"}</span></li>
    </ul>
    <p>The same on the command line, to the same bytes on the same adapter:<br><code>${run!.command}</code></p>
  </section>`;
}
