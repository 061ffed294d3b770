import { type CellResult, KNOWN_FROM } from "../../experiment/cell.ts";
import { type Html, html } from "./html.ts";
import { score } from "./tables.ts";

/** How the score is to be read, and what the numbers of this report cannot show. */
export function limits(cells: readonly CellResult[]): Html {
  return html`<h2 id="limits">How to read the score, and what it cannot show</h2>
<p>For each question, the vanilla model's own answer is fed to both models, and <em>loss*</em> is the mean squared difference of their
logits over the answer's positions and the vocabulary. With a component restored the same difference is <em>loss<sub>o</sub>*</em>, and
KRS = 1 − loss<sub>o</sub>* / loss*. At 1 the logits are the vanilla model's again, at 0 nothing has changed, below 0 the restoration
moved the model further away.</p>
<div class="warning">
<p><strong>There is no control in this report.</strong> Without one, high curves for m and A and a low one for W<sub>V</sub> do not show
that knowledge survived unlearning: random noise on the weights, or training on wrong answers that really overwrites, can give
the same order. Restoring an activation brings the vanilla model's whole upstream computation with it; restoring W<sub>V</sub>
exchanges one matrix a layer. A claim needs the same curve from a damaged and from an overwritten model beside it: only what
exceeds those says something about unlearning.</p>
</div>
<ul>
<li><strong>Windows.</strong> Grey marks centre layers whose window is cut off at the ends of the model. Expect a dip at the right edge, and
in a shallow model a rise at the left one: a window that covers much of the model returns much for that reason alone.</li>
<li><strong>Logits, not answers.</strong> KRS is measured along an answer that is given, over the whole vocabulary. A model can score high
and still not say the answer.</li>
<li><strong>BLEU compares wording.</strong> A right answer in other words scores low. And where the unrelated answers are lost too, the
model was damaged rather than made to forget; the learning rate decides much of that.</li>
<li><strong>Few runs.</strong> ${spread(cells)} Thin lines show how far concepts differ; they are no confidence interval.</li>
${collapsed(cells)}${ignorant(cells)}
</ul>`;
}

function spread(cells: readonly CellResult[]): string {
  const counted = (noun: string, of: (cell: CellResult) => string | number) => {
    const count = new Set(cells.map(of)).size;
    return `${count} ${noun}${count === 1 ? "" : "s"}`;
  };
  const models = counted("model", ({ config }) => config.model.name);
  const concepts = counted("concept", ({ config }) => config.concept.name);
  return `${models}, ${concepts}, ${counted("seed", ({ config }) => config.seed)}.`;
}

/** Below this mean BLEU on unrelated questions a model no longer works. */
const COLLAPSED_BELOW = 0.3;

function collapsed(cells: readonly CellResult[]): Html | string {
  const found = cells.filter(({ bleu }) => bleu.unrelated.at(-1)! < COLLAPSED_BELOW);
  if (found.length === 0) return "";
  return html`<li><strong>Collapsed models.</strong> On unrelated questions BLEU ended below ${score(COLLAPSED_BELOW)} for
${found.map(cellName).join("; ")}. Their curves describe a broken model.</li>`;
}

function ignorant(cells: readonly CellResult[]): Html | string {
  const found = cells.filter(({ vanilla }) => (vanilla.targetExact ?? 1) < KNOWN_FROM);
  if (found.length === 0) return "";
  return html`<li><strong>Not known before.</strong> The vanilla model gave the expected answer to fewer than ${KNOWN_FROM * 100}% of the
target questions of ${found.map((cell) => `${cellName(cell)} (${Math.round(cell.vanilla.targetExact! * 100)}%)`).join("; ")}.</li>`;
}

function cellName({ config }: CellResult): string {
  return `${config.concept.name} (${config.training.objective.name}, ${config.model.name})`;
}
