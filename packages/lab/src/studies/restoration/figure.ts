import { settings } from "@lethe/unlearn";
import { linesPanel } from "../../report/figures/lines.ts";
import type { Figure } from "../../report/figures/render.ts";
import { centresOf, type KrsDefinition, lowestScore, type RestorationCell, scoresOf, settingsOf } from "./scores.ts";

/** The lowest end of the axis. Lower scores are cut off: a model that collapsed reaches −2 and less. */
export const LOWEST_KRS = -0.5;

/** KRS by centre layer of the restored window, one line a setting: the paper's Figure 1. All panels have the same scale. */
export function krsFigure(
  name: string,
  cells: readonly RestorationCell[],
  definition: KrsDefinition,
): Figure<RestorationCell> {
  const swept = settingsOf(cells);
  const lowest = Math.min(0, lowestScore(cells, definition));
  // To the next tenth below the lowest score; with no score below 0, a little below 0 so that a line along it can be seen.
  const bottom = Math.max(LOWEST_KRS, lowest < 0 ? Math.floor(lowest * 10 - 1e-9) / 10 : -0.04);
  return {
    name,
    description:
      "Knowledge Recovery Score by centre layer of the restored window. " +
      `Lines: ${swept.map(({ label }) => label).join(", ")} restored.`,
    draw(panel) {
      const centres = centresOf(panel.cells);
      const lines = swept.map((setting) => ({
        label: setting.label,
        marker: setting.marker,
        place: settings.indexOf(setting),
        values: panel.cells.map((cell) => scoresOf(cell, setting.name, definition, centres)),
      }));
      const { options, result } = panel.cells[0]!;
      const radius = options.windowRadius;
      const [left, right] = [-0.5, result.depth - 0.5];
      const frame = {
        width: 330,
        height: 230,
        xOf: (i: number) => centres[i]!,
        x: {
          title: `centre layer of the ${2 * radius + 1} restored`,
          domain: [left, right],
          axis: { values: layerTicks(result.depth) },
        },
        y: { title: "Knowledge Recovery Score", domain: [bottom, 1], axis: { tickCount: 6, format: ".1~f" } },
        shaded: [
          { from: left, to: Math.min(left + radius, right) },
          { from: Math.max(left, right - radius), to: right },
        ],
      } as const;
      return linesPanel(panel, frame, lines);
    },
  };
}

/** Every layer of a shallow model; about twelve round numbers of a deep one. */
function layerTicks(layers: number): number[] {
  const step = [1, 2, 4, 5, 8, 10, 20].find((candidate) => layers / candidate <= 12) ?? 50;
  return Array.from({ length: Math.ceil(layers / step) }, (_, i) => i * step);
}
