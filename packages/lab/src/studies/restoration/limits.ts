import { type Html, html } from "../../report/html.ts";
import type { ReportCell } from "../../report/panels.ts";
import { isControl } from "../../subjects/controls.ts";

/** How the Knowledge Recovery Score is to be read, and what it cannot show. */
export function limits(cells: readonly ReportCell[]): Html {
  return html`<p>For each question, both models read the vanilla model's own answer. <em>loss*</em> is the mean squared difference of
their logits over the answer's positions and the vocabulary. <em>loss<sub>o</sub>*</em> is the same difference with a component restored, and
KRS = 1 − loss<sub>o</sub>* / loss*. At 1 the logits are the vanilla model's again, at 0 nothing has changed; below 0 the restoration
moved the model further away.</p>
<div class="warning">
<p>${
    cells.some(isControl)
      ? html`<strong>Read every curve beside its controls.</strong> High curves for m and A and a low curve for W<sub>V</sub> do not by themselves
show`
      : html`<strong>There is no control in this report.</strong> Without a control, high curves for m and A and a low curve for W<sub>V</sub> do not
show`
  } that knowledge survived unlearning. Random noise on the weights, or training on wrong answers that really overwrites, can give
the same order. A restored activation brings back everything that the vanilla model computed before it; a restored W<sub>V</sub>
is one matrix a layer. Only what exceeds the same curves from a damaged and from an overwritten model says something about
unlearning.</p>
</div>
<ul>
<li><strong>Windows.</strong> Grey marks centre layers whose window is cut off at the ends of the model. Expect lower scores at the right
edge. In a shallow model expect higher scores at the left edge: a window that covers much of the model returns much for that reason alone.</li>
<li><strong>Logits, not answers.</strong> KRS is measured along an answer that is given, over the whole vocabulary. A model can have a high
score and still not give the answer.</li>
<li><strong>Isolated.</strong> An isolated curve, where there is one, counts what a component adds to the residual stream by itself, and nothing that
later layers would make of it. So it is low for a window whose effect goes through other layers, whatever the component holds.</li>
</ul>`;
}
