import { LOWEST_KRS } from "../figures/krs.ts";
import {
  type KrsDefinition,
  largestGap,
  METHOD_NAMES,
  PAPER_KRS,
  type Panel,
  RELEASED_KRS,
  scoresOfPanel,
} from "../panels.ts";
import type { Results } from "../results.ts";
import { answers } from "./answers.ts";
import { configuration } from "./configuration.ts";
import { type Html, html, trusted } from "./html.ts";
import { limits } from "./limits.ts";
import { style } from "./style.ts";
import { cellTable, layerTable, score, summaryTable, table } from "./tables.ts";

/** The figures of the page, as the text of SVGs. */
export interface PageFigures {
  readonly krs: string;
  readonly krsReleased: string;
  readonly bleu: string;
  readonly loss: string;
}

/** The whole report as one HTML file that needs nothing from anywhere else. */
export function reportPage(results: Results, panels: readonly Panel[], figures: PageFigures): string {
  const { cells } = results;
  const radius = cells[0]!.config.evaluation.windowRadius;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Lethe: what came back</title>
<style>${trusted(style)}</style>
</head>
<body>
<h1>What came back</h1>
<p class="lead">A language model was trained to forget. Is the knowledge gone, or only out of reach?</p>
<p>${scope(panels)} In the unlearned model, one component at a time was put back to what it was in the vanilla model, in
${2 * radius + 1} neighbouring layers: the MLP coefficients <strong>m</strong>, the value vectors <strong>W<sub>V</sub></strong>, the attention
states <strong>A</strong>, and m and A together. The Knowledge Recovery Score says how much of the vanilla model's behaviour that
brings back.</p>
${summaryTable(panels)}
<p class="quiet">Means over concepts, after the last epoch. “0.83 at 9” is the highest score and its centre layer.
<a href="#limits">What these numbers cannot show.</a></p>

<h2>Recovery by layer</h2>
${figure(
  figures.krs,
  html`KRS with the window centred on each layer; 0 is nothing back, 1 everything. Grey: the window is cut off at the end of the
model. Logit rows that predict the answer's tokens, ratio of means (the paper's definition).`,
)}

<h2>Damage by epoch</h2>
${figure(
  figures.bleu,
  html`BLEU of the answer after each epoch against the answer before unlearning, on the concept's own questions (target) and on
questions about other things (unrelated). 1 is the same words. Target should fall and unrelated should not. A
run that ended early, because its loss had fallen to 0, counts in the mean with its last value.`,
)}

<h2>Answers before and after</h2>
${cells.map((cell, i) => answers(cell, i === 0))}

${limits(cells)}

<h2>Numbers</h2>
${cellTable(cells)}
<p class="quiet">mean loss*: mean squared difference from the vanilla logits before anything is restored; a score is a share of it.</p>
${panels.map(
  (panel) => html`<details><summary>KRS by layer: ${panel.title}</summary>
${layerTable(panel)}${panel.cells.length > 1 ? html`<p class="quiet">Mean over concepts (lowest to highest).</p>` : ""}</details>\n`,
)}
<p>All scores are in <code>krs.csv</code>, every question's losses in <code>cells/</code>.</p>

<h2>Does the definition matter?</h2>
<p>The paper's text and the authors' notebooks define KRS differently: in which logit rows are compared (those that predict the answer's tokens,
or the last ones, one further on) and in how questions are averaged (ratio of means, or mean of ratios). The largest difference to the
figure above, over settings and layers:</p>
${definitionTable(panels)}
<details><summary>The curves as the notebooks compute them</summary>
${figure(figures.krsReleased, html`As above, with the last logit rows and the mean of per-question ratios.${cutOff(panels, RELEASED_KRS)}`)}</details>

<h2>Training loss</h2>
${figure(
  figures.loss,
  html`The unlearning loss at each optimiser step; each panel has its own scale. Gradient Difference rewards a high loss on the forget
text, so it falls below 0; NPO does not.`,
)}

${configuration(results)}
</body>
</html>
`.text;
}

function scope(panels: readonly Panel[]): Html {
  const models = [...new Set(panels.map(({ model }) => model))].map((name) => {
    const own = panels.filter(({ model }) => model === name).flatMap(({ cells }) => cells);
    return `${name} (${[...new Set(own.map(({ config }) => config.concept.name))].join(", ")})`;
  });
  const methods = [...new Set(panels.map(({ method }) => METHOD_NAMES[method]))];
  return html`${models.length === 1 ? "Model and concepts" : "Models and their concepts"}: ${models.join("; ")}.
Unlearned with: ${methods.join(", ")}; one concept at a time, each from the vanilla model.`;
}

function figure(svg: string, caption: Html): Html {
  return html`<figure><div class="wide">${trusted(svg)}</div><figcaption>${caption}</figcaption></figure>`;
}

/** Says so where a figure does not show all there is. */
function cutOff(panels: readonly Panel[], definition: KrsDefinition): string {
  const lowest = Math.min(...panels.flatMap((panel) => scoresOfPanel(panel, definition)));
  return lowest < LOWEST_KRS ? ` Scores below ${score(LOWEST_KRS)} are cut off; the lowest is ${score(lowest)}.` : "";
}

function definitionTable(panels: readonly Panel[]): Html {
  const others: [string, KrsDefinition][] = [
    ["other averaging", { ...PAPER_KRS, aggregation: RELEASED_KRS.aggregation }],
    ["other rows", { ...PAPER_KRS, alignment: RELEASED_KRS.alignment }],
    ["both, as released", RELEASED_KRS],
  ];
  return table(
    ["model", "method", ...others.map(([name]) => name)],
    panels.map((panel) => [
      panel.model,
      panel.method,
      ...others.map(([, definition]) => score(largestGap(panel, PAPER_KRS, definition))),
    ]),
  );
}
