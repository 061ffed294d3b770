import { html } from "../../../report/html.ts";
import { panelsOf } from "../../../report/panels.ts";
import type { StudySections } from "../../../report/section.ts";
import { listed, table } from "../../../report/tables.ts";
import { forgottenOf, leakOf } from "../rates.ts";
import type { UnpactCell } from "../scores.ts";
import { scoreOrNone } from "../words.ts";

/** leak@k of the forgotten questions. None where no answers were drawn. */
export function drawnAnswers(cells: readonly UnpactCell[]): StudySections["sections"] {
  const drawn = cells.filter(({ result }) => result.drawn.samples > 0);
  if (drawn.length === 0) return [];
  const samples = listed(drawn.map(({ result }) => String(result.drawn.samples)));
  const most = Math.max(...drawn.map(({ result }) => result.drawn.samples));
  const ks = [...new Set(drawn.flatMap(({ options }) => options.k))].filter((k) => k <= most).sort((a, b) => a - b);
  const body = html`<p>Nothing is emphasised here: ${samples} answers are drawn to each forgotten question from the model's own distribution (temperature 1, top-p 1).
Leak@k is the chance that one of k such answers is right, 1 − C(n − c, k) / C(n, k) where c of n drawn answers are (arXiv 2511.04934).</p>
${table(
  "Leak at k",
  ["model · method", "forgotten questions", ...ks.map((k) => `leak@${k}`)],
  panelsOf(drawn).map(({ title, cells: own }) => [
    title,
    own.reduce((sum, cell) => sum + forgottenOf(cell).length, 0),
    ...ks.map((k) => scoreOrNone(leakOf(own, k))),
  ]),
)}
<p class="quiet">Means over forgotten questions, seeds and concepts. How many drawn answers are right is in <code>judged.csv</code>.</p>`;
  return [{ title: "Forgotten answers among drawn ones", body }];
}
