import { standAlone } from "../../report/figures/colours.ts";
import { renderFigure } from "../../report/figures/render.ts";
import { type Html, html } from "../../report/html.ts";
import { endOfBleu, mean, panelsOf } from "../../report/panels.ts";
import type { StudySections } from "../../report/section.ts";
import { type Entry, figure, score, table } from "../../report/tables.ts";
import { krsCsv } from "./csv.ts";
import { krsFigure, LOWEST_KRS } from "./figure.ts";
import { limits } from "./limits.ts";
import {
  centresOf,
  type KrsDefinition,
  largestGap,
  lowestScore,
  meanScores,
  PAPER_KRS,
  RELEASED_KRS,
  type RestorationCell,
  scoresOf,
  settingsOf,
} from "./scores.ts";

type Cells = readonly RestorationCell[];

/** The restoration study's part of a report. Its files are `krs.csv`, `figures/krs.svg` and `figures/krs-released.svg`. */
export async function sections(cells: Cells): Promise<StudySections> {
  const panels = panelsOf(cells);
  const krs = await renderFigure(krsFigure("krs", cells, PAPER_KRS), panels);
  const released = await renderFigure(krsFigure("krs-released", cells, RELEASED_KRS), panels);
  return {
    summary: summary(cells),
    sections: [
      {
        title: "Recovery by layer",
        body: figure(
          "Recovery by layer",
          krs,
          html`KRS by the centre layer of the restored window: 0 means that nothing returned, 1 everything. Grey: the window is cut
off at the end of the model. The logits that predict the answer's tokens are compared, and averaged as a ratio of means (the
paper's definition).${cutOff(cells, PAPER_KRS)}`,
        ),
      },
      { title: "Recovery in numbers", body: numbers(cells) },
      { title: "Does the definition matter?", body: definitions(cells, released) },
    ],
    limits,
    files: {
      "krs.csv": krsCsv(cells),
      "figures/krs.svg": standAlone(krs),
      "figures/krs-released.svg": standAlone(released),
    },
  };
}

function summary(cells: Cells): Html {
  const rows = panelsOf(cells).map(({ title, cells }) => ({ names: [title, cells.length], cells }));
  return html`<p>In the unlearned model, one component was set back to what it is in the vanilla model, in
${2 * cells[0]!.options.windowRadius + 1} neighbouring layers: the MLP coefficients <strong>m</strong>, the value vectors
<strong>W<sub>V</sub></strong>, or the attention states <strong>A</strong> (“+”: two at once). The Knowledge Recovery Score (KRS) says how
much of the vanilla model's behaviour returned.</p>
${peakTable(cells, "Recovery", ["model · method", "concepts"], rows)}
<p class="quiet">Means over concepts, at the end of training. “0.83 at 9” is the highest score and its centre layer.${strides(cells)}</p>`;
}

/** Says which layers were centres where not every layer was. */
function strides(cells: Cells): string {
  const strides = [...new Set(cells.map(({ options }) => options.windowStride))].filter((stride) => stride > 1);
  return strides.map((stride) => ` Only every layer whose number is a multiple of ${stride} was a centre.`).join("");
}

/** The peaks of KRS, and BLEU: means over the cells of each row. */
function peakTable(
  all: Cells,
  name: string,
  head: readonly string[],
  rows: { readonly names: readonly Entry[]; readonly cells: Cells }[],
): Html {
  const swept = settingsOf(all);
  return table(
    name,
    [...head, ...swept.map(({ label }) => `KRS ${label}`), "BLEU target", "BLEU unrelated"],
    rows.map(({ names, cells }) => [
      ...names,
      ...swept.map(({ name }) => {
        const scores = meanScores(cells, name, PAPER_KRS);
        const peak = Math.max(...scores);
        return `${score(peak)}\u00a0at\u00a0${centresOf(cells)[scores.indexOf(peak)]}`;
      }),
      score(endOfBleu(cells, "target")),
      score(endOfBleu(cells, "unrelated")),
    ]),
  );
}

function numbers(cells: Cells): Html {
  const rows = panelsOf(cells).flatMap(({ title, cells }) =>
    cells.map((cell) => {
      const baseLoss = mean(cell.result.base.paper).toPrecision(3);
      return { names: [title, cell.config.concept.name, baseLoss], cells: [cell] };
    }),
  );
  return html`${peakTable(cells, "Recovery of each concept", ["model · method", "concept", "mean loss*"], rows)}
<p class="quiet">Mean loss*: the mean squared difference from the vanilla model's logits before anything is restored. KRS is the share of it
that a restoration removes.</p>
${panelsOf(cells).map(
  (panel) => html`<details><summary>KRS by layer: ${panel.title}</summary>
${layerTable(panel.cells, panel.title)}${panel.cells.length > 1 ? html`<p class="quiet">Mean over concepts (lowest to highest).</p>` : ""}</details>\n`,
)}
<p>All scores are in <code>krs.csv</code>. The losses of every question are in <code>cells/</code>.</p>`;
}

/** KRS by layer: the mean over cells, and their range. */
function layerTable(cells: Cells, title: string): Html {
  const swept = settingsOf(cells);
  const centres = centresOf(cells);
  const columns = swept.map(({ name }) => {
    const each = cells.map((cell) => scoresOf(cell, name, PAPER_KRS, centres));
    return meanScores(cells, name, PAPER_KRS).map((average, i) => {
      const own = each.map((scores) => scores[i]!);
      const range = own.length > 1 ? ` (${score(Math.min(...own))} to ${score(Math.max(...own))})` : "";
      return html`${score(average)}<span class="quiet">${range}</span>`;
    });
  });
  return table(
    `KRS by layer: ${title}`,
    ["centre layer", ...swept.map(({ label }) => label)],
    centres.map((centre, i) => [centre, ...columns.map((column) => column[i]!)]),
  );
}

function definitions(cells: Cells, released: string): Html {
  const others: [string, KrsDefinition][] = [
    ["other average", { ...PAPER_KRS, aggregation: RELEASED_KRS.aggregation }],
    ["other rows", { ...PAPER_KRS, alignment: RELEASED_KRS.alignment }],
    ["both, as released", RELEASED_KRS],
  ];
  const rows = panelsOf(cells).map(({ title, cells }) => [
    title,
    ...others.map(([, definition]) => score(largestGap(cells, PAPER_KRS, definition))),
  ]);
  return html`<p>The paper's text and the authors' notebooks define KRS differently. They compare different logit rows: those that predict the
answer's tokens, or the last ones, one position later. They average over questions differently: the ratio of means, or the
mean of ratios. The table shows the largest difference from the figure above, over settings and layers.</p>
${table("Differences between the definitions", ["model · method", ...others.map(([name]) => name)], rows)}
<details><summary>The curves as the notebooks compute them</summary>
${figure("Recovery by layer, as released", released, html`As above, with the last logit rows and the mean of the questions' ratios.${cutOff(cells, RELEASED_KRS)}`)}</details>`;
}

/** Says what a figure does not show. */
function cutOff(cells: Cells, definition: KrsDefinition): string {
  const lowest = lowestScore(cells, definition);
  return lowest < LOWEST_KRS ? ` Scores below ${score(LOWEST_KRS)} are cut off; the lowest is ${score(lowest)}.` : "";
}
