import { csvFormat } from "d3-dsv";
import type { TopLevelSpec } from "vega-lite";
import { escapeHtml } from "../html.ts";
import type { Panel, ReportCell } from "../panels.ts";
import { colour } from "./colours.ts";
import { conceptLegend } from "./concepts.ts";
import { withData } from "./data.ts";

const FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif";

/** A value of a figure, as its data give it. */
export interface FigureRow {
  readonly panel: string;
  readonly line: string;
  /** Whose value it is: "mean", or a concept's name. */
  readonly values: string;
  readonly x: number;
  readonly y: number;
  /** The ends of the bootstrap's band. */
  readonly low?: number;
  readonly high?: number;
}

/** One panel of a figure: any Vega-Lite unit or layer, and the values that it shows. */
export interface PanelSpec {
  readonly rows?: readonly FigureRow[];
  readonly [member: string]: unknown;
}

export interface Figure<C extends ReportCell = ReportCell, P extends Panel<C> = Panel<C>> {
  /** Unique on its page: it is the prefix of the ids inside the SVG. */
  readonly name: string;
  /** Read aloud in place of the picture. The titles of the panels are added. */
  readonly description: string;
  readonly draw: (panel: P) => PanelSpec;
}

/** Panels beside each other: two of them are as wide as the page. */
const COLUMNS = 2;

/** Panels in rows. Where a model has several panels, the next model's begin a row of their own. */
function inRows(panels: readonly Panel[], specs: readonly object[]) {
  const spacing = { row: 36, column: 30 };
  const models = [...new Set(panels.map(({ model }) => model))];
  const each = { columns: COLUMNS, spacing };
  if (models.length === 1 || models.length === panels.length) return { ...each, concat: specs };
  const ofModel = (model: string) => specs.filter((_, i) => panels[i]!.model === model);
  return { vconcat: models.map((model) => ({ ...each, concat: ofModel(model) })), spacing: spacing.row };
}

/**
 * Draws panels of a figure, two in a row.
 * @returns the text of an SVG that takes its colours from the page and holds its values as CSV; the same figure always gives the same text
 */
export async function renderFigure<C extends ReportCell, P extends Panel<C>>(
  { name, description, draw }: Figure<C, P>,
  panels: readonly P[],
): Promise<string> {
  // They take a while to load, and a run that only computes cells draws nothing.
  const [{ parse, resetSVGDefIds, View }, { compile }] = await Promise.all([import("vega"), import("vega-lite")]);
  const drawn = panels.map(draw);
  const legend = conceptLegend(panels[0]!.concepts);
  const spec = {
    $schema: "https://vega.github.io/schema/vega-lite/v6.json",
    ...inRows(
      panels,
      drawn.map(({ rows: _, ...panel }) => panel),
    ),
    ...(legend.length > 0 && { title: { text: legend, ...LEGEND } }),
    config: CONFIG,
    padding: 10,
  };
  const label = `${description} Panels: ${panels.map(({ title }) => title).join("; ")}.`;
  // Vega numbers the ids of a page's figures in one sequence, which would make a figure depend on those before it.
  resetSVGDefIds();
  const view = new View(parse(compile(spec as unknown as TopLevelSpec).spec), { renderer: "none" });
  try {
    const svg = await view.toSVG();
    const named = svg
      .replace(/(id="|url\(#)(clip|gradient)/g, (_, before, kind) => `${before}${name}-${kind}`)
      // The picture is read aloud as a whole.
      .replace(/ role="graphics-\w+"| aria-roledescription="[^"]*"/g, "")
      .replace("<svg ", () => `<svg role="img" aria-label="${escapeHtml(label)}" `);
    const rows = drawn.flatMap(({ rows = [] }) => rows);
    return withData(named, `${csvFormat(rows, [...COLUMN_NAMES])}\n`);
  } finally {
    view.finalize();
  }
}

const COLUMN_NAMES = ["panel", "line", "values", "x", "y", "low", "high"] as const;

/** What thin lines are, above the panels. */
const LEGEND = { anchor: "start", fontSize: 11, fontWeight: "normal", color: colour("muted"), offset: 14 };

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
