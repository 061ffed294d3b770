import { linesPanel } from "../../report/figures/lines.ts";
import type { Figure } from "../../report/figures/render.ts";
import { changeByLayer, type WeightsCell } from "./scores.ts";

/** The groups of matrices that every block has, each with the marker of its line. */
const LINES = [
  ["q", "circle"],
  ["k", "square"],
  ["v", "triangle-up"],
  ["o", "diamond"],
  ["gate", "cross"],
  ["up", "triangle-down"],
  ["down", "triangle-right"],
] as const;

/** The relative change of every group of matrices by layer. All panels have the same scale. */
export function changeFigure(cells: readonly WeightsCell[]): Figure<WeightsCell> {
  const values = cells.flatMap((cell) => LINES.flatMap(([group]) => changeByLayer(cell, group)));
  // A little above the highest; nothing may have changed at all.
  const top = 1.05 * Math.max(...values) || 1;
  return {
    name: "weights",
    description: `Relative change of the weights by layer. Lines: ${LINES.map(([group]) => group).join(", ")}.`,
    draw(panel) {
      const lines = LINES.map(([group, marker], place) => {
        return { label: group, marker, place, values: panel.cells.map((cell) => changeByLayer(cell, group)) };
      });
      const depth = Math.max(...lines.flatMap(({ values }) => values.map(({ length }) => length)));
      const frame = {
        width: 330,
        height: 230,
        xOf: (layer: number) => layer,
        x: { title: "layer", domain: [-0.5, depth - 0.5], axis: { tickMinStep: 1, tickCount: 12 } },
        y: { title: "‖ΔW‖ / ‖W‖", domain: [0, top], axis: { tickCount: 6, format: ".2~g" } },
      } as const;
      return linesPanel(panel, frame, lines);
    },
  };
}
