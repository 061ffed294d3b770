import type { Panel, ReportCell } from "../panels.ts";
import { colour, seriesColour } from "./colours.ts";
import type { FigureRow, PanelSpec } from "./render.ts";

/** A row of a panel: its name at the left, and a mark at its value with a line from one end of its interval to the other. */
export interface DotRow {
  readonly label: string;
  /** The mark's place in the palette. Absent for a row that is there for comparison: its mark is a grey ring. */
  readonly place?: number;
  /** Null where there is no value: the row stays empty. */
  readonly dot: { readonly value: number; readonly low?: number; readonly high?: number } | null;
  /** The same value in each kind of control, in the order of the panel's `beside`. */
  readonly beside: readonly (number | null)[];
}

/** The rows of a panel and its axis, in Vega-Lite's words. */
export interface DotFrame {
  readonly width: number;
  readonly x: { readonly title: string; readonly domain: readonly [number, number]; readonly axis: object };
  readonly rows: readonly DotRow[];
  /** Under the title: over what the values are means, or what is counted. */
  readonly over: string;
  /** The kinds of controls. */
  readonly beside: readonly string[];
  /** Pixels after which a row's name is cut. Default: 260. */
  readonly labelLimit?: number;
}

const ROW_HEIGHT = 21;

/** How the marks of controls differ: a shape of Vega's, and its name in the plural. */
const SHAPES = [
  ["square", "squares"],
  ["triangle-up", "triangles"],
  ["diamond", "diamonds"],
] as const;

/** One panel of a figure that compares rows: each value with its interval, and grey, the same value of the controls. */
export function dotsPanel<C extends ReportCell>(
  panel: Panel<C>,
  { width, x, rows, over, beside, labelLimit = 260 }: DotFrame,
): PanelSpec {
  const names = rows.map(({ label }) => label);
  const y = {
    field: "row",
    type: "nominal",
    title: null,
    scale: { domain: names },
    axis: { grid: true, labelLimit, labelColor: colour("ink") },
  };
  const at = (field: string) => ({
    field,
    type: "quantitative",
    title: x.title,
    scale: { domain: x.domain, nice: false },
    axis: x.axis,
  });
  const marked = rows.flatMap(({ dot, ...row }) => (dot ? [{ ...row, dot }] : []));
  const own = ({ label, dot }: (typeof marked)[number]) => ({ values: [{ row: label, ...dot }] });
  return {
    width,
    height: ROW_HEIGHT * rows.length,
    title: { text: panel.title, subtitle: [over, ...legendOf(beside)] },
    layer: [
      ...(x.domain[0] < 0
        ? [
            {
              data: { values: [{ value: 0 }] },
              mark: { type: "rule", color: colour("muted"), strokeWidth: 1 },
              encoding: { x: at("value") },
            },
          ]
        : []),
      ...marked
        .filter(({ dot: { low, high } }) => low !== undefined && high !== undefined)
        .map((row) => ({
          data: own(row),
          mark: { type: "rule", color: colourOf(row), strokeWidth: 2, opacity: 0.55, clip: true },
          encoding: { x: at("low"), x2: { field: "high" }, y },
        })),
      ...beside.map((_, i) => ({
        data: {
          values: rows.flatMap(({ label, beside }) => {
            const value = beside[i] ?? null;
            return value === null ? [] : [{ row: label, value }];
          }),
        },
        mark: {
          type: "point",
          shape: SHAPES[i % SHAPES.length]![0],
          filled: false,
          color: colour("muted"),
          size: 50,
          strokeWidth: 1.25,
          opacity: 1,
          clip: true,
        },
        encoding: { x: at("value"), y },
      })),
      ...marked.map((row) => ({
        data: own(row),
        mark: {
          type: "point",
          filled: row.place !== undefined,
          color: colourOf(row),
          size: 70,
          strokeWidth: 1.75,
          opacity: 1,
          clip: true,
        },
        encoding: { x: at("value"), y },
      })),
    ],
    rows: rows.flatMap((row, place) => rowsOf(panel.title, row, place, beside)),
  };
}

function colourOf({ place }: Pick<DotRow, "place">): string {
  return place === undefined ? colour("muted") : seriesColour(place);
}

/** "grey squares: noise", "grey triangles: never": a line each, so that none is wider than the panel. */
function legendOf(beside: readonly string[]): string[] {
  return beside.map((kind, i) => `grey ${SHAPES[i % SHAPES.length]![1]}: ${kind}`);
}

/** A row's values as the figure's data give them; its place from the top is x. */
function rowsOf(
  panel: string,
  { label, dot, beside: values }: DotRow,
  x: number,
  beside: readonly string[],
): FigureRow[] {
  return [
    ...(dot ? [{ panel, line: label, values: "mean", x, y: dot.value, ...ends(dot) }] : []),
    ...beside.flatMap((kind, i) => {
      const value = values[i] ?? null;
      return value === null ? [] : [{ panel, line: label, values: kind, x, y: value }];
    }),
  ];
}

function ends({ low, high }: NonNullable<DotRow["dot"]>): Partial<FigureRow> {
  return low === undefined || high === undefined ? {} : { low, high };
}
