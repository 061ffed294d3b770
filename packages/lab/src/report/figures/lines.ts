import { meanOfLists, type Panel } from "../panels.ts";
import { colour, seriesColour } from "./colours.ts";
import type { PanelSpec } from "./render.ts";

/** One line of a panel: the mean over the panel's cells, and behind it, thin, the line of each cell. */
export interface Line {
  /** Written at the line's end. The only line of a panel needs none. */
  readonly label?: string;
  /** The Vega shape that marks each value; without it the line has no marks. */
  readonly marker?: string;
  /** The line's place in the palette. */
  readonly place: number;
  /** One list a cell, in the order of the panel's cells. */
  readonly values: readonly (readonly number[])[];
}

/** The size of a panel and its axes; `axis` is in Vega-Lite's words. */
export interface Frame {
  readonly width: number;
  readonly height: number;
  readonly x: { readonly title: string; readonly domain: readonly [number, number]; readonly axis: object };
  /** Without a domain the axis fits the values. What lies outside a domain is cut off. */
  readonly y: { readonly title: string; readonly domain?: readonly [number, number]; readonly axis: object };
  /** Where on the x axis the values of each line lie, by their index from 0. */
  readonly xOf: (index: number) => number;
  /** Ranges of the x axis with a grey background. */
  readonly shaded?: readonly { readonly from: number; readonly to: number }[];
}

const LABEL_HEIGHT = 15;

/** How the thin lines of a panel's concepts differ: each with its sign for the legend and its lengths of strokes and gaps. */
const THIN = [
  { sign: "──", strokeDash: [] },
  { sign: "- -", strokeDash: [5, 3] },
  { sign: "···", strokeDash: [1, 2] },
];
const ALIKE = THIN[0]!;

/** Concepts whose names together are longer, and so the panel wider, are counted rather than named. */
const LONGEST_NAMES = 36;

/** Under a panel's title: what its lines are. And the style of each cell's thin line. */
function legend({ cells }: Panel): { readonly subtitle: string; readonly thin: readonly (typeof THIN)[number][] } {
  const names = cells.map(({ config }) => config.concept.name);
  if (names.length === 1) return { subtitle: names[0]!, thin: [] };
  if (names.length > THIN.length || names.join("").length > LONGEST_NAMES)
    return { subtitle: `mean of ${names.length} concepts, each thin`, thin: names.map(() => ALIKE) };
  const signs = names.map((name, i) => `${THIN[i]!.sign} ${name}`);
  return { subtitle: `mean (thin: ${signs.join(", ")})`, thin: THIN };
}

/** One panel of a figure: heading, axes, lines, and each line's label at its end. */
export function linesPanel(panel: Panel, frame: Frame, lines: readonly Line[]): PanelSpec {
  const { width, height, xOf, shaded = [] } = frame;
  const [bottom, top] = frame.y.domain ?? [-Infinity, Infinity];
  const scale = frame.y.domain ? { domain: frame.y.domain, nice: false } : { zero: false, nice: false, padding: 8 };
  const x = {
    field: "x",
    type: "quantitative",
    title: frame.x.title,
    scale: { domain: frame.x.domain, nice: false },
    axis: { grid: false, format: "d", ...frame.x.axis },
  };
  const y = { field: "y", type: "quantitative", title: frame.y.title, scale, axis: frame.y.axis };
  const points = (values: readonly number[]) => values.map((value, i) => ({ x: xOf(i), y: value }));
  // A mark on the frame's edge stays whole unless some line has to be cut off.
  const clip = lines.some(({ values }) => values.flat().some((value) => value < bottom || value > top));
  const line = (values: readonly number[], color: string, style: object) => {
    return { data: { values: points(values) }, mark: { type: "line", color, clip, ...style }, encoding: { x, y } };
  };
  const means = lines.map(({ values }) => meanOfLists(values));
  const { subtitle, thin } = legend(panel);
  const ends = spreadLabels(
    means.map((values) => Math.max(bottom, values.at(-1)!)),
    (LABEL_HEIGHT / height) * (top - bottom),
  );
  return {
    width,
    height,
    title: { text: panel.title, subtitle },
    layer: [
      ...shaded.map((range) => ({
        data: { values: [range] },
        mark: { type: "rect", color: colour("ink"), opacity: 0.055 },
        encoding: { x: { ...x, field: "from" }, x2: { field: "to" } },
      })),
      ...(bottom < 0 && Number.isFinite(bottom)
        ? [
            {
              data: { values: [{ y: 0 }] },
              mark: { type: "rule", color: colour("muted"), strokeWidth: 1 },
              encoding: { y },
            },
          ]
        : []),
      ...lines.flatMap(({ place, values }) =>
        thin.slice(0, values.length).map(({ strokeDash }, i) => {
          return line(values[i]!, seriesColour(place), { strokeWidth: 1, opacity: 0.45, strokeDash });
        }),
      ),
      ...lines.map(({ place, marker }, i) => {
        const color = seriesColour(place);
        const point = marker !== undefined && { shape: marker, color, filled: true, size: 42, opacity: 1 };
        return line(means[i]!, color, { strokeWidth: 2.25, point });
      }),
      ...lines.map(({ label, place }, i) => ({
        data: { values: [{ x: frame.x.domain[1], y: ends[i] }] },
        mark: { type: "text", align: "left", baseline: "middle", dx: 8, fontWeight: 600, color: seriesColour(place) },
        encoding: { x, y, text: { value: label ?? "" } },
      })),
    ],
  };
}

/**
 * Moves labels apart that would overlap, each as little as possible: they keep their order, with at least `gap` between neighbours.
 * @param values where each label belongs, in the axis' units
 * @returns where each label is put, in the same order as `values`
 */
export function spreadLabels(values: readonly number[], gap: number): number[] {
  const order = values.map((_, i) => i).sort((a, b) => values[a]! - values[b]!);
  // Labels that touch form a run. A run lies where the mean distance of its labels from their own places is zero.
  const runs: { members: number[]; sum: number; start: number }[] = [];
  for (const index of order) {
    let run = { members: [index], sum: values[index]!, start: values[index]! };
    for (
      let before = runs.at(-1);
      before && before.start + before.members.length * gap > run.start;
      before = runs.at(-1)
    ) {
      runs.pop();
      const members = [...before.members, ...run.members];
      const sum = before.sum + run.sum - before.members.length * run.members.length * gap;
      run = { members, sum, start: sum / members.length };
    }
    runs.push(run);
  }
  const placed = [...values];
  for (const { members, start } of runs) {
    for (const [offset, index] of members.entries()) placed[index] = start + offset * gap;
  }
  return placed;
}
