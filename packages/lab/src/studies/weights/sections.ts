import { relativeChange, relativeSpectralChange, stableRank, type WeightGroup } from "@lethe/unlearn";
import { standAlone } from "../../report/figures/colours.ts";
import { renderFigure } from "../../report/figures/render.ts";
import { type Html, html } from "../../report/html.ts";
import { byConcept, type Panel, panelsOf, withoutConcepts } from "../../report/panels.ts";
import type { StudySections } from "../../report/section.ts";
import { figure, table } from "../../report/tables.ts";
import { weightsCsv } from "./csv.ts";
import { changeFigure } from "./figure.ts";
import { limits } from "./limits.ts";
import { groupsOf, lowestCosine, overWeights, type WeightsCell, weightsOf } from "./scores.ts";

type Cells = readonly WeightsCell[];

/** What the paper found of unembedding and norms. */
const PAPER_COSINE = 0.999;

const NONE = "—";

/** The weights study's part of a report. Its files are `weights.csv` and `figures/weights.svg`. */
export async function sections(cells: Cells): Promise<StudySections> {
  const panels = panelsOf(cells);
  const change = await renderFigure(changeFigure(cells), withoutConcepts(panels));
  return {
    summary: html`<p>How far the weights themselves moved. The paper found the minor components, unembedding and norms, almost where they were, with
cosine similarities above ${PAPER_COSINE}.</p>
${minor("Minor components", panels)}
<p class="quiet">The lowest cosine similarity with the vanilla model's weight, over concepts, seeds and, of the norms, all of them.</p>`,
    sections: [
      {
        title: "Change of the weights by layer",
        body: html`${figure(
          "Change of the weights by layer",
          change,
          html`Frobenius norm of the change of each matrix, as a share of the norm of the vanilla matrix.`,
        )}
${panels.map(
  (panel) => html`<details><summary>Change by group: ${panel.title}</summary>
${byGroup(panel)}<p class="quiet">Means over layers, concepts and seeds (lowest to highest). Cosine: the lowest.</p></details>\n`,
)}
<p>The scores of every weight are in <code>weights.csv</code>. The sums and norms that they are computed from are in <code>cells/</code>.</p>`,
      },
    ],
    limits,
    files: { "weights.csv": weightsCsv(cells), "figures/weights.svg": standAlone(change) },
  };
}

/** The lowest cosine of the components that the paper calls minor. */
function minor(name: string, panels: readonly Panel<WeightsCell>[]): Html {
  const shown = (cells: Cells, group: WeightGroup) => cosine(lowestCosine(cells, group)) ?? "no weights";
  return table(
    name,
    ["model · method", "concepts", "unembedding", "norms"],
    panels.map(({ title, cells }) => [
      title,
      byConcept(cells).length,
      html`${shown(cells, "unembedding")}${isTied(cells) ? html` <span class="quiet">(the embedding, tied)</span>` : ""}`,
      shown(cells, "norms"),
    ]),
  );
}

function isTied(cells: Cells): boolean {
  return !groupsOf(cells).includes("unembedding");
}

/** Every group of one model and subject. */
function byGroup({ title, cells }: Panel<WeightsCell>): Html {
  return table(
    `Change by group: ${title}`,
    ["weights", "cosine", "relative change", "relative spectral change", "stable rank"],
    groupsOf(cells).map((group) => {
      const weights = cells.flatMap((cell) => weightsOf(cell, group));
      const score = (of: Parameters<typeof overWeights>[1]) => {
        const scores = overWeights(weights, of);
        if (!scores) return NONE;
        const [lowest, highest] = [digits(scores.lowest), digits(scores.highest)];
        const range = lowest === highest ? "" : ` (${lowest} to ${highest})`;
        return html`${digits(scores.mean)}<span class="quiet">${range}</span>`;
      };
      return [
        group,
        cosine(lowestCosine(cells, group)) ?? NONE,
        score(relativeChange),
        score(relativeSpectralChange),
        score(stableRank),
      ];
    }),
  );
}

/** Five decimals, cut off rather than rounded: what is below 1 does not become 1. */
function cosine(value: number | null): string | null {
  return value === null ? null : (Math.floor(value * 1e5) / 1e5).toFixed(5).replace("-", "−");
}

/** Two significant digits. */
function digits(value: number): string {
  return String(Number(value.toPrecision(2)));
}
