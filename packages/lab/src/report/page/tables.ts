import { SETTINGS } from "@lethe/unlearn";
import type { CellResult } from "../../experiment/cell.ts";
import { mean, meanOfLists, meanScores, PAPER_KRS, type Panel, peakOf, scoresOf } from "../panels.ts";
import { type Html, html } from "./html.ts";

type Entry = string | number | Html;

/** A table of short entries; a column whose entries are all numbers is set flush right. */
export function table(head: readonly string[], rows: readonly (readonly Entry[])[]): Html {
  const numeric = head.map((_, column) => rows.every((row) => /^−?\d[\d.]*$/.test(String(row[column]))));
  const headCell = (name: string, column: number) =>
    numeric[column] ? html`<th class="number">${name}</th>` : html`<th>${name}</th>`;
  const cell = (entry: Entry, column: number) =>
    numeric[column] ? html`<td class="number">${entry}</td>` : html`<td>${entry}</td>`;
  return html`<div class="wide"><table class="scores">
<thead><tr>${head.map(headCell)}</tr></thead>
<tbody>${rows.map((row) => html`<tr>${row.map(cell)}</tr>\n`)}</tbody>
</table></div>`;
}

/** A score with two decimals, a true minus sign, and no minus zero. */
export function score(value: number): string {
  return value.toFixed(2).replace("-0.00", "0.00").replace("-", "−");
}

/** “0.83 at 9”: a curve's highest point and where it is. */
function peak(scores: readonly number[]): string {
  const { krs, layer } = peakOf(scores);
  return `${score(krs)} at ${layer}`;
}

/** One line a model and method: the means over concepts that the figures show. */
export function summaryTable(panels: readonly Panel[]): Html {
  return table(
    ["model", "method", "concepts", "BLEU target", "BLEU unrelated", ...SETTINGS.map((setting) => `KRS ${setting}`)],
    panels.map((panel) => [
      panel.model,
      panel.method,
      panel.cells.length,
      score(meanOfLists(panel.cells.map(({ bleu }) => bleu.target)).at(-1)!),
      score(meanOfLists(panel.cells.map(({ bleu }) => bleu.unrelated)).at(-1)!),
      ...SETTINGS.map((setting) => peak(meanScores(panel, setting, PAPER_KRS))),
    ]),
  );
}

/** One line a cell. */
export function cellTable(cells: readonly CellResult[]): Html {
  return table(
    [
      "model",
      "concept",
      "method",
      "BLEU target",
      "BLEU unrelated",
      "mean loss*",
      ...SETTINGS.map((setting) => `KRS ${setting}`),
    ],
    cells.map((cell) => [
      cell.config.model.name,
      cell.config.concept.name,
      cell.config.training.objective.name,
      score(cell.bleu.target.at(-1)!),
      score(cell.bleu.unrelated.at(-1)!),
      mean(cell.restoration.base.paper).toPrecision(3),
      ...SETTINGS.map((setting) => peak(scoresOf(cell, setting, PAPER_KRS))),
    ]),
  );
}

/** KRS by layer of one panel, the mean over concepts with their range. */
export function layerTable(panel: Panel): Html {
  const means = SETTINGS.map((setting) => meanScores(panel, setting, PAPER_KRS));
  const several = panel.cells.length > 1;
  return table(
    ["centre layer", ...SETTINGS],
    means[0]!.map((_, layer) => [
      layer,
      ...SETTINGS.map((setting, i) => {
        const each = panel.cells.map((cell) => scoresOf(cell, setting, PAPER_KRS)[layer]!);
        const range = several ? ` (${score(Math.min(...each))} to ${score(Math.max(...each))})` : "";
        return html`${score(means[i]![layer]!)}<span class="quiet">${range}</span>`;
      }),
    ]),
  );
}
