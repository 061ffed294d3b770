import { parse, resetSVGDefIds, View } from "vega";
import { compile, type TopLevelSpec } from "vega-lite";
import { escapeHtml } from "../escape.ts";
import type { Theme } from "./theme.ts";

const FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif";

/** One panel of a figure: any Vega-Lite unit or layer. */
export type PanelSpec = Record<string, unknown>;

export interface FigureSpec {
  /** Prefix of the ids inside the SVG, so that several can share a page. */
  readonly name: string;
  /** Read out in place of the picture. */
  readonly description: string;
  readonly columns: number;
  readonly panels: readonly PanelSpec[];
}

/** Renders panels side by side to the text of an SVG. The same figure always gives the same text. */
export async function renderFigure(figure: FigureSpec, theme: Theme): Promise<string> {
  const spec = {
    $schema: "https://vega.github.io/schema/vega-lite/v6.json",
    columns: figure.columns,
    concat: figure.panels,
    spacing: { row: 36, column: 30 },
    config: configOf(theme),
    padding: 10,
  };
  resetSVGDefIds();
  const view = new View(parse(compile(spec as unknown as TopLevelSpec).spec), { renderer: "none" });
  try {
    const svg = await view.toSVG();
    return svg
      .replace(/(id="|url\(#)(clip|gradient)/g, `$1${figure.name}-$2`)
      .replace("<svg ", `<svg role="img" aria-label="${escapeHtml(figure.description)}" `);
  } finally {
    view.finalize();
  }
}

function configOf(theme: Theme) {
  const text = { font: FONT, labelFont: FONT, titleFont: FONT };
  return {
    aria: false,
    background: theme.background,
    font: FONT,
    view: { stroke: null },
    axis: {
      ...text,
      domain: false,
      ticks: false,
      gridColor: theme.grid,
      labelColor: theme.muted,
      labelFontSize: 11,
      labelPadding: 6,
      labelFlush: false,
      titleColor: theme.muted,
      titleFontSize: 11,
      titleFontWeight: "normal",
      titlePadding: 8,
    },
    title: {
      ...text,
      anchor: "start",
      frame: "group",
      color: theme.ink,
      fontSize: 13,
      fontWeight: 600,
      subtitleFont: FONT,
      subtitleColor: theme.muted,
      subtitleFontSize: 11,
      offset: 12,
    },
    text: { font: FONT, fontSize: 12 },
  };
}
