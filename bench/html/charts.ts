import { type DotRow, dotsPanel } from "../../packages/lab/src/report/figures/dots.ts";
import { renderFigure } from "../../packages/lab/src/report/figures/render.ts";
import { html } from "../../packages/lab/src/report/html.ts";
import { figure } from "../../packages/lab/src/report/tables.ts";
import type { Spread } from "../spread.ts";

/** A panel of a chart: a mark for each row at its median, and a line between its quartiles. */
export interface Chart {
  readonly title: string;
  readonly rows: readonly { readonly label: string; readonly value: Spread }[];
}

/**
 * Draws a chart as the reports draw theirs.
 * @param name unique on its page
 * @param factor by which all values are multiplied, such as 100 for percentages
 */
export async function chart(name: string, axis: string, panels: readonly Chart[], factor = 1) {
  const shown = panels.filter(({ rows }) => rows.length > 0);
  if (shown.length === 0) return html``;
  const most = Math.max(...shown.flatMap(({ rows }) => rows.map(({ value }) => value.high)));
  const svg = await renderFigure(
    {
      name: name.replaceAll(" ", "-"),
      description: `${name}: ${axis}.`,
      draw: (panel) => {
        const { rows } = shown.find(({ title }) => title === panel.title)!;
        return dotsPanel(panel, {
          width: shown.length > 1 ? 200 : 500,
          x: { title: axis, domain: [0, 1.05 * factor * most], axis: { tickCount: 5 } },
          rows: rows.map(({ label, value: { median, low, high } }): DotRow => {
            const dot = { value: factor * median, low: factor * low, high: factor * high };
            return { label, place: 2, dot, beside: [] };
          }),
          over: "median and quartiles of the rounds",
          beside: [],
          labelLimit: 600,
        });
      },
    },
    shown.map(({ title }) => ({ model: "", subject: title, title, cells: [], concepts: [] })),
  );
  return figure(name, svg, html`${name}.`);
}
