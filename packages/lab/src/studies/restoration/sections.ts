import { standAlone } from "../../report/figures/colours.ts";
import { renderFigure } from "../../report/figures/render.ts";
import { type Html, html } from "../../report/html.ts";
import { byConcept, endOfBleu, mean, overallPanels, panelsOf, withoutConcepts } from "../../report/panels.ts";
import type { StudySections } from "../../report/section.ts";
import { type Entry, figure, score, table } from "../../report/tables.ts";
import { isControl } from "../../subjects/controls.ts";
import { krsCsv } from "./csv.ts";
import { besideControls, krsFigure, LOWEST_KRS, settingPanels } from "./figure.ts";
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

/**
 * The restoration study's part of a report. Its files are `krs.csv` and the figures: of the settings that were swept, `krs`, `krs-methods`,
 * `krs-controls` and `krs-released`, and of those that isolate a component, `krs-isolated` and `krs-isolated-controls`.
 */
export async function sections(cells: Cells): Promise<StudySections> {
  const parts = [await recovery(cells), await isolation(cells)];
  const released = await overall("krs-released", cells, RELEASED_KRS, false);
  return {
    summary: summary(cells),
    sections: [
      ...parts.flatMap(({ sections }) => sections),
      { title: "Recovery in numbers", body: numbers(cells) },
      { title: "Does the definition matter?", body: definitions(cells, released) },
    ],
    limits: limits(cells),
    files: {
      "krs.csv": krsCsv(cells),
      ...Object.assign({}, ...parts.map(({ files }) => files)),
      ...(released && { "figures/krs-released.svg": standAlone(released) }),
    },
  };
}

type Part = Pick<StudySections, "sections" | "files">;

const NO_PART: Part = { sections: [], files: {} };

/** A figure of the isolated settings or of the others, over concepts and methods; none where no such setting was swept. */
async function overall(
  name: string,
  cells: Cells,
  definition: KrsDefinition,
  isolated: boolean,
): Promise<string | undefined> {
  const panels = withoutConcepts(overallPanels(cells));
  if (settingsOf(cells, isolated).length === 0 || panels.length === 0) return undefined;
  return renderFigure(krsFigure(name, cells, definition, isolated), panels);
}

/** What a band is, for captions. */
const BAND = html`Bands: 95% of the bootstrap's draws over concepts, or over questions where there is one concept.`;

/** The paper's Figure 1, then each method's, then each component's beside its controls. */
async function recovery(cells: Cells): Promise<Part> {
  const krs = await overall("krs", cells, PAPER_KRS, false);
  if (!krs) return NO_PART;
  const methods = withoutConcepts(panelsOf(cells.filter((cell) => !isControl(cell))));
  const each =
    methods.length > overallPanels(cells).length
      ? await renderFigure(krsFigure("krs-methods", cells, PAPER_KRS), methods)
      : undefined;
  const controls = await renderFigure(besideControls("krs-controls", cells, false), settingPanels(cells, false));
  const body = html`${figure(
    "Recovery by layer",
    krs,
    html`The paper's Figure 1. KRS by the centre layer of the restored window, as a mean over concepts and methods: 0 means that nothing
returned, 1 everything. ${BAND} Grey: the window is cut off at the end of the model. The logits that predict the answer's tokens are
compared, and averaged as a ratio of means (the paper's definition).${cutOff(cells, PAPER_KRS, false)}`,
  )}${
    each
      ? html`<details><summary>Recovery by layer of each method</summary>
${figure("Recovery by layer of each method", each, html`As above, for each method alone.`)}</details>`
      : ""
  }`;
  return {
    sections: [
      { title: "Recovery by layer", body },
      {
        title: "Each component beside its controls",
        body: figure("Each component beside its controls", controls, html`${beside(cells)} ${BAND}`),
      },
    ],
    files: {
      "figures/krs.svg": standAlone(krs),
      ...(each && { "figures/krs-methods.svg": standAlone(each) }),
      "figures/krs-controls.svg": standAlone(controls),
    },
  };
}

/** What the lines of a figure beside controls are. */
function beside(cells: Cells): Html {
  const what = html`The same curves one by one, thin those of each concept.`;
  if (cells.some(isControl))
    return html`${what} Dashed and grey: the same restoration in the controls. What lies on them says nothing about unlearning.`;
  return html`${what} No control was measured.`;
}

/** The paper's Figure 3. */
async function isolation(cells: Cells): Promise<Part> {
  const krs = await overall("krs-isolated", cells, PAPER_KRS, true);
  if (!krs) return NO_PART;
  const controls = await renderFigure(besideControls("krs-isolated-controls", cells, true), settingPanels(cells, true));
  const rows = panelsOf(cells).map(({ title, cells }) => ({ names: [title], cells }));
  const body = html`${figure(
    "Isolated recovery by layer",
    krs,
    html`The paper's Figure 3. As above, but only what the restored component itself adds to the residual stream counts. In the window, the
other components are held at the unlearned model's own values. In all later layers m and A are, so that none of them answers to what was
restored.${cutOff(cells, PAPER_KRS, true)}`,
  )}
${figure("Each isolated component beside its controls", controls, beside(cells))}
${peakTable(cells, true, "Isolated recovery", ["model · method"], rows)}`;
  return {
    sections: [{ title: "Isolated recovery by layer", body }],
    files: {
      "figures/krs-isolated.svg": standAlone(krs),
      "figures/krs-isolated-controls.svg": standAlone(controls),
    },
  };
}

function summary(cells: Cells): Html {
  const rows = panelsOf(cells).map(({ title, cells }) => ({
    names: [title, byConcept(cells).length, seedsOf(cells)],
    cells,
  }));
  return html`<p>In the unlearned model, one component was set back to what it is in the vanilla model, in
${2 * cells[0]!.options.windowRadius + 1} neighbouring layers: the MLP coefficients <strong>m</strong>, the value vectors
<strong>W<sub>V</sub></strong>, or the attention states <strong>A</strong> (“+”: two at once). The Knowledge Recovery Score (KRS) says how
much of the vanilla model's behaviour returned.</p>
${peakTable(cells, settingsOf(cells, false).length === 0, "Recovery", ["model · method", "concepts", "seeds"], rows)}
<p class="quiet">Means over seeds, and then over concepts, at the end of training. “0.83 at 9” is the highest score and its centre layer.${strides(cells)}</p>`;
}

/** How many seeds there are of each concept. */
function seedsOf(cells: Cells): number {
  return new Set(cells.map(({ config }) => config.seed)).size;
}

/** Says which layers were centres where not every layer was. */
function strides(cells: Cells): string {
  const strides = [...new Set(cells.map(({ options }) => options.windowStride))].filter((stride) => stride > 1);
  return strides.map((stride) => ` Only every layer whose number is a multiple of ${stride} was a centre.`).join("");
}

/** The peaks of KRS, isolated or not, and BLEU: means over the cells of each row. */
function peakTable(
  all: Cells,
  isolated: boolean | undefined,
  name: string,
  head: readonly string[],
  rows: { readonly names: readonly Entry[]; readonly cells: Cells }[],
): Html {
  const swept = settingsOf(all, isolated);
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
    byConcept(cells).map((seeds) => {
      const baseLoss = mean(seeds.map(({ result }) => mean(result.base.paper))).toPrecision(3);
      return { names: [title, seeds[0]!.config.concept.name, baseLoss], cells: seeds };
    }),
  );
  return html`${peakTable(cells, undefined, "Recovery of each concept", ["model · method", "concept", "mean loss*"], rows)}
<p class="quiet">Mean loss*: the mean squared difference from the vanilla model's logits before anything is restored. KRS is the share of it
that a restoration removes. Of several seeds, the mean.</p>
${panelsOf(cells).map(
  (panel) => html`<details><summary>KRS by layer: ${panel.title}</summary>
${layerTable(panel.cells, panel.title)}${panel.cells.length > 1 ? html`<p class="quiet">Mean (lowest to highest of all concepts and seeds).</p>` : ""}</details>\n`,
)}
<p>All scores are in <code>krs.csv</code>. The losses of every question are in <code>cells/</code>.</p>`;
}

/** KRS by layer: the mean over seeds and concepts, and the range of all cells. */
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

function definitions(cells: Cells, released: string | undefined): Html {
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
${
  released === undefined
    ? ""
    : html`<details><summary>The curves as the notebooks compute them</summary>
${figure("Recovery by layer, as released", released, html`As above, with the last logit rows and the mean of the questions' ratios.${cutOff(cells, RELEASED_KRS, false)}`)}</details>`
}`;
}

/** Says what a figure does not show. */
function cutOff(cells: Cells, definition: KrsDefinition, isolated: boolean): string {
  const lowest = lowestScore(cells, definition, isolated);
  return lowest < LOWEST_KRS ? ` Scores below ${score(LOWEST_KRS)} are cut off; the lowest is ${score(lowest)}.` : "";
}
