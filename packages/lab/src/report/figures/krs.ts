import { SETTINGS, type Setting } from "@lethe/unlearn";
import { headingOf, type KrsDefinition, meanScores, type Panel, scoresOf, scoresOfPanel } from "../panels.ts";
import { spreadLabels } from "./labels.ts";
import type { FigureSpec, PanelSpec } from "./render.ts";
import type { Theme } from "./theme.ts";

const WIDTH = 330;
const HEIGHT = 230;

/** Where the axis ends at the bottom at the latest; what lies below is cut off. A collapsed model reaches −2 and lower. */
export const LOWEST_KRS = -0.5;

const SHAPES: Readonly<Record<Setting, string>> = { m: "circle", W_V: "triangle-up", A: "square", "m+A": "diamond" };
const LABELS: Readonly<Record<Setting, string>> = { m: "m", W_V: "W_V", A: "A", "m+A": "m + A" };

/** KRS against the centre layer of the restored window, one line a setting, one panel a model and method: the paper's Figure 1. */
export function krsFigure(name: string, panels: readonly Panel[], definition: KrsDefinition, theme: Theme): FigureSpec {
  const lowest = Math.min(0, ...panels.flatMap((panel) => scoresOfPanel(panel, definition)));
  // Down to the next tenth, with a little air below 0 for a line that runs along it.
  const bottom = Math.max(LOWEST_KRS, lowest < 0 ? Math.floor(lowest * 10 - 1e-9) / 10 : -0.04);
  return {
    name,
    description:
      "Knowledge Recovery Score by centre layer of the restored window, one line each for restoring m, W_V, A, and m with A. " +
      `Panels: ${panels.map((panel) => panel.title).join("; ")}.`,
    columns: new Set(panels.map((panel) => panel.method)).size,
    panels: panels.map((panel) => krsPanel(panel, definition, theme, bottom)),
  };
}

function krsPanel(panel: Panel, definition: KrsDefinition, theme: Theme, bottom: number): PanelSpec {
  const { cells } = panel;
  const concepts = cells.length;
  const radius = cells[0]!.config.evaluation.windowRadius;
  const means = SETTINGS.map((setting) => meanScores(panel, setting, definition));
  const layers = means[0]!.length;
  const x = {
    field: "layer",
    type: "quantitative",
    title: `centre layer of the ${2 * radius + 1} restored`,
    scale: { domain: [-0.5, layers - 0.5], nice: false },
    axis: { grid: false, values: layerTicks(layers), format: "d" },
  };
  const y = {
    field: "krs",
    type: "quantitative",
    title: "Knowledge Recovery Score",
    scale: { domain: [bottom, 1], nice: false },
    axis: { tickCount: 6, format: ".1~f" },
  };
  const color = {
    field: "setting",
    type: "nominal",
    legend: null,
    scale: { domain: SETTINGS, range: SETTINGS.map((setting) => theme.settings[setting]) },
  };
  const faint = cells.flatMap((cell) =>
    SETTINGS.flatMap((setting) =>
      scoresOf(cell, setting, definition).map((krs, layer) => ({
        concept: cell.config.concept.name,
        setting,
        layer,
        krs,
      })),
    ),
  );
  const bold = SETTINGS.flatMap((setting, i) => means[i]!.map((krs, layer) => ({ setting, layer, krs })));
  const ends = spreadLabels(
    means.map((scores) => Math.max(bottom, scores.at(-1)!)),
    (15 / HEIGHT) * (1 - bottom),
  );
  const labels = SETTINGS.map((setting, i) => ({ setting, label: LABELS[setting], layer: layers - 0.5, krs: ends[i] }));
  const bands = [
    { from: -0.5, to: Math.min(radius, layers) - 0.5 },
    { from: Math.max(0, layers - radius) - 0.5, to: layers - 0.5 },
  ];
  return {
    width: WIDTH,
    height: HEIGHT,
    title: headingOf(panel),
    layer: [
      {
        data: { values: bands },
        mark: { type: "rect", color: theme.ink, opacity: 0.055 },
        encoding: { x: { ...x, field: "from" }, x2: { field: "to" } },
      },
      { data: { values: [{ krs: 0 }] }, mark: { type: "rule", color: theme.muted, strokeWidth: 1 }, encoding: { y } },
      ...(concepts > 1
        ? [
            {
              data: { values: faint },
              mark: { type: "line", strokeWidth: 1, opacity: 0.35, clip: true },
              encoding: { x, y, color, detail: { field: "concept" } },
            },
          ]
        : []),
      {
        data: { values: bold },
        mark: { type: "line", strokeWidth: 2.25, clip: true },
        encoding: { x, y, color },
      },
      {
        data: { values: bold },
        mark: { type: "point", filled: true, size: 42, opacity: 1, clip: true },
        encoding: {
          x,
          y,
          color,
          shape: {
            field: "setting",
            type: "nominal",
            legend: null,
            scale: { domain: SETTINGS, range: SETTINGS.map((setting) => SHAPES[setting]) },
          },
        },
      },
      {
        data: { values: labels },
        mark: { type: "text", align: "left", baseline: "middle", dx: 8, fontWeight: 600 },
        encoding: { x, y, color, text: { field: "label" } },
      },
    ],
  };
}

/** Every layer of a shallow model; of a deep one about twelve round numbers. */
function layerTicks(layers: number): number[] {
  const step = [1, 2, 4, 5, 8, 10, 20].find((candidate) => layers / candidate <= 12) ?? 50;
  return Array.from({ length: Math.ceil(layers / step) }, (_, i) => i * step);
}
