import { standAlone } from "../../../report/figures/colours.ts";
import { epochsPanel } from "../../../report/figures/epochs.ts";
import type { Line } from "../../../report/figures/lines.ts";
import { type Figure, renderFigure } from "../../../report/figures/render.ts";
import { html } from "../../../report/html.ts";
import { mean, panelsOf } from "../../../report/panels.ts";
import type { StudySections } from "../../../report/section.ts";
import { figure } from "../../../report/tables.ts";
import { trackingCsv } from "../csv.ts";
import { type QuestionKind, trackedByEpoch, type UnpactCell } from "../scores.ts";

/** How the focus on the key words moves while a model is trained. Nothing where it was not tracked. */
export async function byEpoch(cells: readonly UnpactCell[]): Promise<Pick<StudySections, "sections" | "files">> {
  const tracked = cells.filter((cell) => focusByEpoch(cell, "target") && focusByEpoch(cell, "unrelated"));
  if (tracked.length === 0) return { sections: [], files: {} };
  const svg = await renderFigure(epochsFigure, panelsOf(tracked));
  const body = figure(
    "Key words by epoch",
    svg,
    html`Jaccard's index of the key words of the vanilla model and of the model after each epoch of training, on questions about the concept and on others. 1 is
the vanilla model itself. <code>tracking.csv</code> has this, the rank correlation and the share of the contribution that is left, question by question.`,
  );
  return {
    sections: [{ title: "Key words by epoch", body }],
    files: { "tracking.csv": trackingCsv(tracked), "figures/unpact-epochs.svg": standAlone(svg) },
  };
}

const epochsFigure: Figure<UnpactCell> = {
  name: "unpact-epochs",
  description: "Jaccard's index of the key words of the vanilla model and of the trained one, by training epoch.",
  draw(panel) {
    const line = (label: string, kind: QuestionKind, marker: string, place: number): Line<UnpactCell> => {
      return { label, marker, place, values: panel.cells.map((cell) => focusByEpoch(cell, kind)!) };
    };
    return epochsPanel(panel, "Jaccard of key words", [
      line("concept", "target", "circle", 0),
      line("other questions", "unrelated", "triangle-up", 2),
    ]);
  },
};

/** The mean index of the questions that have one, before training and after each epoch; null where it was not tracked, or an epoch has none. */
function focusByEpoch(cell: UnpactCell, kind: QuestionKind): number[] | null {
  const epochs = trackedByEpoch(cell, kind).map((tracked) =>
    tracked.flatMap(({ jaccard }) => (jaccard === null ? [] : [jaccard])),
  );
  return epochs.length > 0 && epochs.every(({ length }) => length > 0) ? epochs.map(mean) : null;
}
