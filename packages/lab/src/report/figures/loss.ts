import { headingOf, meanOfLists, type Panel } from "../panels.ts";
import type { FigureSpec, PanelSpec } from "./render.ts";
import type { Theme } from "./theme.ts";

const WIDTH = 330;
const HEIGHT = 150;

/** The unlearning loss per optimiser step, one panel a model and method, each with its own scale. */
export function lossFigure(name: string, panels: readonly Panel[], theme: Theme): FigureSpec {
  return {
    name,
    description: `Unlearning loss by optimiser step. Panels: ${panels.map((panel) => panel.title).join("; ")}.`,
    columns: new Set(panels.map((panel) => panel.method)).size,
    panels: panels.map((panel) => lossPanel(panel, theme)),
  };
}

function lossPanel(panel: Panel, theme: Theme): PanelSpec {
  const { cells } = panel;
  const curves = cells.map((cell) => cell.steps.map(({ loss }) => loss));
  const x = {
    field: "step",
    type: "quantitative",
    title: "optimiser step",
    scale: { domain: [0, Math.max(...curves.map((curve) => curve.length))], nice: false },
    axis: { grid: false, tickMinStep: 1, tickCount: 8, format: "d" },
  };
  const y = { field: "loss", type: "quantitative", title: "loss", scale: { zero: false }, axis: { tickCount: 5 } };
  const faint = cells.flatMap((cell, i) =>
    curves[i]!.map((loss, step) => ({ concept: cell.config.concept.name, step: step + 1, loss })),
  );
  const bold = meanOfLists(curves).map((loss, step) => ({ step: step + 1, loss }));
  return {
    width: WIDTH,
    height: HEIGHT,
    title: headingOf(panel),
    layer: [
      ...(cells.length > 1
        ? [
            {
              data: { values: faint },
              mark: { type: "line", strokeWidth: 1, opacity: 0.4, color: theme.loss },
              encoding: { x, y, detail: { field: "concept" } },
            },
          ]
        : []),
      { data: { values: bold }, mark: { type: "line", strokeWidth: 2.25, color: theme.loss }, encoding: { x, y } },
    ],
  };
}
