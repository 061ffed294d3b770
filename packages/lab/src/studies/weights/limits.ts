import { html } from "../../report/html.ts";

/** How the change of weights is to be read, and what it cannot show. */
export const limits = html`<p>W is a weight of the vanilla model and ΔW what the subject's differs from it by. <em>Cosine</em> is that of the angle between
W and W + ΔW, all their numbers as one vector. <em>Relative change</em> is ‖ΔW‖ / ‖W‖ with the Frobenius norm, and <em>spectral</em> the same
with the largest singular value. The <em>stable rank</em>, ‖ΔW‖² / ‖ΔW‖₂² with the Frobenius norm above and the spectral norm below, says in how many
directions a matrix changed: 1 for a single one.</p>
<ul>
<li><strong>A cosine near 1 says little.</strong> Training with a small learning rate moves every large matrix little in all, whatever it does to the
answers. A relative change of r gives a cosine of about 1 − r²/2: 0.999 stands for a change of 4%.</li>
<li><strong>Where it moved is not where it matters.</strong> A weight that changed much need not be the one that changed the answers. Restoration says
more about that.</li>
</ul>`;
