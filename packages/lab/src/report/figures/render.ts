import { parse, resetSVGDefIds, View } from "vega";
import { compile, type TopLevelSpec } from "vega-lite";
import { escapeHtml } from "../html.ts";
import type { Panel, ReportCell } from "../panels.ts";
import { colour } from "./colours.ts";

const FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif";

/** One panel of a figure: any Vega-Lite unit or layer. */
export type PanelSpec = Record<string, unknown>;

export interface Figure<C extends ReportCell = ReportCell> {
  /** Unique on its page: it is the prefix of the ids inside the SVG. */
  readonly name: string;
  /** Read aloud in place of the picture. The titles of the panels are added. */
  readonly description: string;
  readonly draw: (panel: Panel<C>) => PanelSpec;
}

/**
 * Draws one panel of a figure for each model and subject, one row a model.
 * @returns the text of an SVG that takes its colours from the page; the same figure always gives the same text
 */
export async function renderFigure<C extends ReportCell>(
  { name, description, draw }: Figure<C>,
  panels: readonly Panel<C>[],
): Promise<string> {
  const spec = {
    $schema: "https://vega.github.io/schema/vega-lite/v6.json",
    columns: new Set(panels.map(({ subject }) => subject)).size,
    concat: panels.map(draw),
    spacing: { row: 36, column: 30 },
    config: CONFIG,
    padding: 10,
  };
  const label = `${description} Panels: ${panels.map(({ title }) => title).join("; ")}.`;
  // Vega numbers the ids of a page's figures in one sequence, which would make a figure depend on those before it.
  resetSVGDefIds();
  const view = new View(parse(compile(spec as unknown as TopLevelSpec).spec), { renderer: "none" });
  try {
    const svg = await view.toSVG();
    return svg
      .replace(/(id="|url\(#)(clip|gradient)/g, (_, before, kind) => `${before}${name}-${kind}`)
      .replace("<svg ", () => `<svg role="img" aria-label="${escapeHtml(label)}" `);
  } finally {
    view.finalize();
  }
}

const CONFIG = {
  aria: false,
  background: colour("background"),
  font: FONT,
  view: { stroke: null },
  axis: {
    domain: false,
    ticks: false,
    gridColor: colour("grid"),
    labelColor: colour("muted"),
    labelFont: FONT,
    labelFontSize: 11,
    labelPadding: 6,
    labelFlush: false,
    titleColor: colour("muted"),
    titleFont: FONT,
    titleFontSize: 11,
    titleFontWeight: "normal",
    titlePadding: 8,
  },
  title: {
    font: FONT,
    anchor: "start",
    frame: "group",
    color: colour("ink"),
    fontSize: 13,
    fontWeight: 600,
    subtitleFont: FONT,
    subtitleColor: colour("muted"),
    subtitleFontSize: 11,
    offset: 12,
  },
  text: { font: FONT, fontSize: 12 },
};
