import type { Panel, ReportCell } from "../panels.ts";
import { type Line, linesPanel } from "./lines.ts";
import type { PanelSpec } from "./render.ts";

/**
 * A panel of shares, from 0 to 1, by epoch of training. The values of each line begin before it.
 * @param epochs where the axis ends. Default: where the longest line does
 */
export function epochsPanel<C extends ReportCell>(
  panel: Panel<C>,
  title: string,
  lines: readonly Line<C>[],
  epochs = Math.max(...lines.flatMap(({ values }) => values.map(({ length }) => length))) - 1,
): PanelSpec {
  const frame = {
    width: 330,
    height: 190,
    xOf: (i: number) => i,
    x: {
      title: "epoch (0 is before unlearning)",
      domain: [-0.3, epochs],
      axis: { tickMinStep: 1, tickCount: Math.min(epochs, 10) },
    },
    y: { title, domain: [0, 1], axis: { tickCount: 5, format: ".1~f" } },
  } as const;
  return linesPanel(panel, frame, lines);
}

/**
 * A panel of BLEU by epoch.
 * @param valuesOf one list a cell of the panel; each begins before training
 * @param epochs where the axis ends. Default: where the longest list does
 */
export function bleuPanel(
  panel: Panel,
  valuesOf: (kind: "target" | "unrelated") => readonly (readonly number[])[],
  epochs?: number,
): PanelSpec {
  const lines: Line[] = [
    { label: "target", marker: "circle", place: 0, values: valuesOf("target") },
    { label: "unrelated", marker: "square", place: 2, values: valuesOf("unrelated") },
  ];
  return epochsPanel(panel, "mean BLEU", lines, epochs);
}
