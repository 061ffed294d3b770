import { standAlone } from "./figures/colours.ts";
import { bleuPanel } from "./figures/epochs.ts";
import { linesPanel } from "./figures/lines.ts";
import { type Figure, renderFigure } from "./figures/render.ts";
import { html } from "./html.ts";
import { panelsOf, type ReportCell } from "./panels.ts";
import type { StudySections } from "./section.ts";
import { figure } from "./tables.ts";

/** A cell whose subject was trained, and what was recorded at each step. */
export type TrainedCell = ReportCell & {
  readonly subject: Extract<ReportCell["subject"], { readonly steps: unknown }>;
};

export function isTrained<C extends ReportCell>(cell: C): cell is C & TrainedCell {
  return "steps" in cell.subject;
}

/** What training did to the subjects, epoch by epoch and step by step. Nothing where no subject was trained. */
export async function training(cells: readonly ReportCell[]): Promise<Pick<StudySections, "sections" | "files">> {
  const panels = panelsOf(cells.filter(isTrained));
  if (panels.length === 0) return { sections: [], files: {} };
  const bleu = await renderFigure(bleuFigure, panels);
  const loss = await renderFigure(lossFigure, panels);
  return {
    sections: [
      {
        title: "Damage by epoch",
        body: figure(
          "Damage by epoch",
          bleu,
          html`The paper's Figure 2. BLEU of the answers after each epoch against the answers before training, on questions about the concept (target) and about
other things (unrelated). 1 means the same words. Target should fall and unrelated should not. A run that ended early, because
its loss had reached 0, counts in the mean with its last value. Bands: 95% of the bootstrap's draws over concepts.`,
        ),
      },
      {
        title: "Training loss",
        body: figure(
          "Training loss",
          loss,
          html`The method's loss at each optimiser step. Losses of different methods cannot be compared, so each panel has its own scale.`,
        ),
      },
    ],
    files: { "figures/bleu.svg": standAlone(bleu), "figures/loss.svg": standAlone(loss) },
  };
}

/** BLEU of target and unrelated answers by epoch of training: the paper's Figure 2. */
export const bleuFigure: Figure = {
  name: "bleu",
  description:
    "Mean BLEU of answers after unlearning against answers before it, by training epoch, on target and on unrelated questions.",
  draw: (panel) => bleuPanel(panel, (kind) => panel.cells.map(({ subject }) => subject.bleu[kind])),
};

/** The training loss by optimiser step. Each panel has its own scale. */
export const lossFigure: Figure<TrainedCell> = {
  name: "loss",
  description: "Training loss by optimiser step.",
  draw(panel) {
    const values = panel.cells.map(({ subject }) => subject.steps.map(({ loss }) => loss));
    const frame = {
      width: 330,
      height: 150,
      xOf: (i: number) => i + 1,
      x: {
        title: "optimiser step",
        domain: [0, Math.max(...values.map(({ length }) => length))],
        axis: { tickMinStep: 1, tickCount: 8 },
      },
      y: { title: "loss", axis: { tickCount: 5 } },
    } as const;
    return linesPanel(panel, frame, [{ place: 2, values }]);
  },
};
