import { headingOf, meanOfLists, type Panel } from "../panels.ts";
import { spreadLabels } from "./labels.ts";
import type { FigureSpec, PanelSpec } from "./render.ts";
import type { Theme } from "./theme.ts";

const WIDTH = 310;
const HEIGHT = 190;

const KINDS = ["target", "unrelated"] as const;

/** BLEU of target and unrelated answers per epoch of unlearning, one panel a model and method: the paper's Figure 2. */
export function bleuFigure(name: string, panels: readonly Panel[], theme: Theme): FigureSpec {
  return {
    name,
    description:
      "Mean BLEU of answers after unlearning against answers before it, by training epoch, on target and on unrelated questions. " +
      `Panels: ${panels.map((panel) => panel.title).join("; ")}.`,
    columns: new Set(panels.map((panel) => panel.method)).size,
    panels: panels.map((panel) => bleuPanel(panel, theme)),
  };
}

function bleuPanel(panel: Panel, theme: Theme): PanelSpec {
  const { cells } = panel;
  const means = KINDS.map((kind) => meanOfLists(cells.map((cell) => cell.bleu[kind])));
  const epochs = means[0]!.length - 1;
  const x = {
    field: "epoch",
    type: "quantitative",
    title: "epoch (0 is before unlearning)",
    scale: { domain: [-0.3, epochs], nice: false },
    axis: { grid: false, tickMinStep: 1, tickCount: Math.min(epochs, 10), format: "d" },
  };
  const y = {
    field: "bleu",
    type: "quantitative",
    title: "mean BLEU",
    scale: { domain: [0, 1], nice: false },
    axis: { tickCount: 5, format: ".1~f" },
  };
  const color = {
    field: "kind",
    type: "nominal",
    legend: null,
    scale: { domain: KINDS, range: [theme.target, theme.unrelated] },
  };
  const faint = cells.flatMap((cell) =>
    KINDS.flatMap((kind) =>
      cell.bleu[kind].map((bleu, epoch) => ({ concept: cell.config.concept.name, kind, epoch, bleu })),
    ),
  );
  const bold = KINDS.flatMap((kind, i) => means[i]!.map((bleu, epoch) => ({ kind, epoch, bleu })));
  const ends = spreadLabels(
    means.map((scores) => scores.at(-1)!),
    15 / HEIGHT,
  );
  const labels = KINDS.map((kind, i) => ({ kind, epoch: epochs, bleu: ends[i] }));
  return {
    width: WIDTH,
    height: HEIGHT,
    title: headingOf(panel),
    layer: [
      ...(cells.length > 1
        ? [
            {
              data: { values: faint },
              mark: { type: "line", strokeWidth: 1, opacity: 0.35 },
              encoding: { x, y, color, detail: { field: "concept" } },
            },
          ]
        : []),
      { data: { values: bold }, mark: { type: "line", strokeWidth: 2.25 }, encoding: { x, y, color } },
      {
        data: { values: bold },
        mark: { type: "point", filled: true, size: 42, opacity: 1 },
        encoding: {
          x,
          y,
          color,
          shape: {
            field: "kind",
            type: "nominal",
            legend: null,
            scale: { domain: KINDS, range: ["circle", "square"] },
          },
        },
      },
      {
        data: { values: labels },
        mark: { type: "text", align: "left", baseline: "middle", dx: 10, fontWeight: 600 },
        encoding: { x, y, color, text: { field: "kind" } },
      },
    ],
  };
}
