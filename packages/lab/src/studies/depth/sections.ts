import { standAlone } from "../../report/figures/colours.ts";
import { renderFigure } from "../../report/figures/render.ts";
import { type Html, html } from "../../report/html.ts";
import { mean, meanOfCells, panelsOf, withoutConcepts } from "../../report/panels.ts";
import type { StudySections } from "../../report/section.ts";
import { type Entry, figure, score, table } from "../../report/tables.ts";
import { isControl } from "../../subjects/controls.ts";
import { depthCsv, lensCsv } from "./csv.ts";
import { dropFigure, lensFigure } from "./figures.ts";
import { limits } from "./limits.ts";
import { baseOf, type DepthCell, depthScoreOf, isNever, layersOf, meanDrops, meanReadings, neverOf } from "./scores.ts";

type Cells = readonly DepthCell[];

/** The depth study's part of a report. Its files are `depth.csv`, `lens.csv`, `figures/depth.svg` and `figures/lens.svg`. */
export async function sections(cells: Cells): Promise<StudySections> {
  // Controls are lines beside those of what they control.
  const unlearned = cells.filter((cell) => !isControl(cell));
  const panels = withoutConcepts(panelsOf(unlearned.length > 0 ? unlearned : cells));
  const drops = await renderFigure(dropFigure(cells), panels);
  const lens = await renderFigure(lensFigure(cells), panels);
  return {
    summary: summary(cells),
    sections: [
      {
        title: "What is gone, by layer",
        body: html`${figure(
          "What is gone, by layer",
          drops,
          html`Δ, the mean log-probability that the answers' tokens lose in the vanilla model when the measured model's residual stream
replaces its own after one layer, at the rows that predict these tokens. At 0 nothing is missing. A curve for the concept that is no
higher than that for other questions, or than a control's, shows general damage and no forgetting. Bands: 95% of the bootstrap's draws
over concepts, or over questions where there is one concept.`,
        )}${scoreNote(cells)}`,
      },
      {
        title: "What each layer already says",
        body: figure(
          "What each layer already says",
          lens,
          html`The logit lens on the questions about the concept: the vanilla model's final norm and unembedding on the residual stream after every
layer, and the mean log-probability of the vanilla answers' tokens. 0 is certainty.`,
        ),
      },
      { title: "Depth in numbers", body: numbers(cells) },
    ],
    limits,
    files: {
      "depth.csv": depthCsv(cells),
      "lens.csv": lensCsv(cells),
      "figures/depth.svg": standAlone(drops),
      "figures/lens.svg": standAlone(lens),
    },
  };
}

function summary(cells: Cells): Html {
  const rows = panelsOf(cells).map(({ title, cells }) => ({ names: [title, cells.length], cells }));
  return html`<p>KRS asks what brings the answer back; this asks what is <strong>gone</strong>. The measured model's residual
stream was put into the vanilla model, after one layer at a time, where it predicts ${tokensOf(cells)}.
Δ is the log-probability that they lose.</p>
${depthTable(cells, "Depth", ["model · method", "concepts"], rows)}
<p class="quiet">Means over questions and concepts. “0.83 at 9” is the largest Δ in nats and the layer after which the stream was put in.</p>`;
}

/** Which tokens were measured, in words. */
function tokensOf(cells: Cells): string {
  const kinds = new Set(cells.map(({ options }) => options.tokens));
  if (kinds.size > 1) return "tokens of the answer";
  return kinds.has("entity") ? "the answer's key words" : "the answer";
}

/** The largest Δ, and the score where there is a model that never learned: means over the cells of each row. */
function depthTable(
  all: Cells,
  name: string,
  head: readonly string[],
  rows: { readonly names: readonly Entry[]; readonly cells: Cells }[],
): Html {
  const scored = all.some(isNever);
  return table(
    name,
    [...head, "Δ concept", "Δ other questions", ...(scored ? ["depth score", "the same by the logit lens"] : [])],
    rows.map(({ names, cells }) => [
      ...names,
      largest(cells, "target"),
      largest(cells, "unrelated"),
      ...(scored ? [meanScore(cells, all, "patches"), meanScore(cells, all, "lens")] : []),
    ]),
  );
}

function largest(cells: Cells, kind: "target" | "unrelated"): string {
  const drops = meanDrops(cells, kind);
  const most = Math.max(...drops);
  return `${score(most)}\u00a0at\u00a0${layersOf(cells)[drops.indexOf(most)]}`;
}

/** The mean unlearning depth score of the cells that have one; a dash where none has. */
function meanScore(cells: Cells, all: Cells, by: "patches" | "lens"): string {
  const scoreOf = (cell: DepthCell) => {
    const never = neverOf(cell, all);
    return (never && depthScoreOf(cell, never, by).mean) ?? undefined;
  };
  const scored = cells.filter((cell) => scoreOf(cell) !== undefined);
  return scored.length > 0 ? score(meanOfCells(scored, (cell) => [scoreOf(cell)!])[0]!) : "–";
}

/** What the depth score is, or why there is none. */
function scoreNote(cells: Cells): Html {
  const never = cells.filter(isNever);
  if (never.length === 0)
    return html`<p>There is no model here that never learned the concept, so there is no unlearning depth score: it would say which share of the
Δ of such a model is reached.</p>`;
  const strange = never.filter((cell) => {
    const [concept, others] = (["target", "unrelated"] as const).map((kind) => Math.max(...meanDrops([cell], kind)));
    return others! > concept! / 2;
  });
  return html`<p>The <strong>unlearning depth score</strong> (arXiv 2605.24614) compares Δ with Δ₁, that of a model that never learned the concept: over the
layers where Δ₁ is above 0.05, Σ Δ₁·clip(Δ/Δ₁, 0, 1) / Σ Δ₁ for each question, and then the mean. At 1 the answer is as gone as if it had
never been learned, at 0 nothing is gone. Questions without such a layer have no score.</p>${
    strange.length > 0
      ? html`
<div class="warning"><p>The model that never learned the concept loses more than half as much on <em>other</em> questions, which it did learn:
${strange.map(({ config }) => `${config.concept.name} (${config.model.name})`).join("; ")}. Its residual stream is not the vanilla model's for
reasons that have nothing to do with the concept. There Δ₁ is too large, and the score too low.</p></div>`
      : ""
  }`;
}

function numbers(cells: Cells): Html {
  const rows = panelsOf(cells).flatMap(({ title, cells: own }) =>
    own.map((cell) => {
      const { target } = cell.result;
      const tokens = mean(target.tokens).toFixed(1);
      return { names: [title, cell.config.concept.name, tokens, score(mean(baseOf(target)))], cells: [cell] };
    }),
  );
  const head = ["model · method", "concept", "tokens", "log-probability"];
  return html`${depthTable(cells, "Depth of each concept", head, rows)}
<p class="quiet">Tokens: how many of an answer are measured, on average. Log-probability: their mean in the vanilla model as it is.</p>
${panelsOf(cells).map(
  ({ title, cells }) => html`<details><summary>Depth by layer: ${title}</summary>
${layerTable(cells, title)}</details>\n`,
)}
<p>The numbers of every question are in <code>depth.csv</code> and <code>lens.csv</code>.</p>`;
}

function layerTable(cells: Cells, title: string): Html {
  const patched = layersOf(cells);
  const [target, unrelated] = [meanDrops(cells, "target"), meanDrops(cells, "unrelated")];
  const drop = (drops: readonly number[], layer: number) =>
    patched.includes(layer) ? score(drops[patched.indexOf(layer)]!) : "–";
  const lens = (["vanilla", "subject"] as const).map((model) => {
    const [logProb, first] = [meanReadings(cells, model, "logProb"), meanReadings(cells, model, "first")];
    return (layer: number) => `${score(logProb[layer]!)} (${Math.round(100 * first[layer]!)}%)`;
  });
  return html`${table(
    `Depth by layer: ${title}`,
    ["layer", "Δ concept", "Δ other questions", "lens: vanilla", "lens: measured"],
    Array.from({ length: cells[0]!.result.depth }, (_, layer) => [
      layer,
      drop(target, layer),
      drop(unrelated, layer),
      ...lens.map((read) => read(layer)),
    ]),
  )}<p class="quiet">Lens: log-probability of the concept's answers, and how often their token is the likeliest.</p>`;
}
