import { bandOf } from "../findings/bootstrap.ts";
import { drawnNumbers } from "../findings/resampling.ts";
import { byConcept, meanOfLists, type Panel, type ReportCell, subjectTitle } from "../panels.ts";
import { colour, seriesColour, seriesTextColour } from "./colours.ts";
import { describeMean, patternOf } from "./concepts.ts";
import type { FigureRow, PanelSpec } from "./render.ts";

/**
 * One line of a panel: the mean over concepts, of each the mean over its cells. Around it lies the bootstrap's band, and behind it, thin, the
 * line of each concept.
 */
export interface Line<C extends ReportCell = ReportCell> {
  /** Written at the line's end. The only line of a panel needs none. */
  readonly label?: string;
  /** The Vega shape that marks each value; without it the line has no marks. */
  readonly marker?: string;
  /** The line's place in the palette. */
  readonly place: number;
  /** One list a cell, in the order of the cells. */
  readonly values: readonly (readonly number[])[];
  /** Whose values they are. Default: the panel's cells. */
  readonly cells?: readonly C[];
  /** How a cell's values are made from drawn questions. Without it the band is over concepts, and there is none where there is one. */
  readonly questions?: { readonly count: number; of(cell: C, drawn: readonly number[]): readonly number[] };
  /** A control beside the panel's own lines: grey, with strokes and gaps of these lengths, and nothing around it. */
  readonly beside?: readonly number[];
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

/** A line as it is drawn. */
interface Drawn {
  readonly line: Line;
  readonly mean: readonly number[];
  readonly band: readonly (readonly [low: number, high: number])[];
  readonly concepts: ReadonlyMap<string, readonly number[]>;
}

/** One panel of a figure: heading, axes, lines, and each line's label at its end. */
export function linesPanel<C extends ReportCell>(panel: Panel<C>, frame: Frame, lines: readonly Line<C>[]): PanelSpec {
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
  const drawn = lines.map((line) => drawnLine(line as unknown as Line, panel));
  const points = (values: readonly number[]) => values.map((value, i) => ({ x: xOf(i), y: value }));
  // A mark on the frame's edge stays whole unless some line has to be cut off.
  const clip = drawn.some(({ mean, concepts }) =>
    [mean, ...concepts.values()].flat().some((value) => value < bottom || value > top),
  );
  const line = (values: readonly number[], color: string, style: object) => {
    return { data: { values: points(values) }, mark: { type: "line", color, clip, ...style }, encoding: { x, y } };
  };
  const ends = spreadLabels(
    drawn.map(({ mean }) => Math.min(top, Math.max(bottom, mean.at(-1)!))),
    (LABEL_HEIGHT / height) * (top - bottom),
  );
  const methods = new Set(panel.cells.map(subjectTitle)).size;
  return {
    width,
    height,
    title: { text: panel.title, subtitle: describeMean(panel.cells, methods) },
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
      ...drawn
        .filter(({ band }) => band.length > 0)
        .map(({ line: { place }, band }) => ({
          data: { values: band.map(([low, high], i) => ({ x: xOf(i), y: low, high })) },
          mark: { type: "area", color: seriesColour(place), opacity: 0.16, clip: true },
          encoding: { x, y, y2: { field: "high" } },
        })),
      ...drawn.flatMap(({ line: { place }, concepts }) =>
        [...concepts].map(([concept, values]) => {
          const strokeDash = patternOf(concept, panel.concepts);
          return line(values, seriesColour(place), { strokeWidth: 1, opacity: 0.6, strokeDash });
        }),
      ),
      ...drawn.map(({ line: { place, marker, beside }, mean }) => {
        if (beside) return line(mean, colour("muted"), { strokeWidth: 1.5, strokeDash: beside });
        const color = seriesColour(place);
        const point = marker !== undefined && { shape: marker, color, filled: true, size: 42, opacity: 1 };
        return line(mean, color, { strokeWidth: 2.25, point });
      }),
      ...drawn.map(({ line: { label, place, beside } }, i) => ({
        data: { values: [{ x: frame.x.domain[1], y: ends[i] }] },
        mark: {
          type: "text",
          align: "left",
          baseline: "middle",
          dx: 8,
          fontWeight: beside ? 400 : 600,
          color: beside ? colour("muted") : seriesTextColour(place),
        },
        encoding: { x, y, text: { value: label ?? "" } },
      })),
    ],
    rows: drawn.flatMap((each) => rowsOf(panel.title, each, xOf)),
  };
}

function drawnLine(line: Line, panel: Panel): Drawn {
  const cells = line.cells ?? panel.cells;
  const length = Math.max(...line.values.map((values) => values.length));
  // A run that ended early goes on at its last value.
  const whole = (values: readonly number[]) => Array.from({ length }, (_, i) => values[i] ?? values.at(-1)!);
  const concepts = byConcept(cells);
  const numbers = (some: readonly ReportCell[], drawn?: readonly number[]) =>
    meanOfLists(
      some.map((cell) => (drawn ? line.questions!.of(cell, drawn) : whole(line.values[cells.indexOf(cell)]!))),
    );
  const each = new Map(concepts.map((own) => [own[0]!.config.concept.name, numbers(own)]));
  const sample = { concepts, questions: line.questions?.count, numbers };
  const draws = line.beside ? [] : drawnNumbers(sample);
  return {
    line,
    mean: meanOfLists([...each.values()]),
    band: draws.length > 0 ? bandOf(draws) : [],
    concepts: panel.concepts.length > 1 && each.size > 1 && !line.beside ? each : new Map(),
  };
}

/** A line's values as the figure's data give them: the mean with its band, and each concept's. */
function rowsOf(panel: string, { line: { label = "" }, mean, band, concepts }: Drawn, xOf: Frame["xOf"]): FigureRow[] {
  const row = (values: string, i: number, y: number) => ({ panel, line: label, values, x: xOf(i), y });
  return [
    ...mean.map((y, i) => ({ ...row("mean", i, y), ...(band[i] && { low: band[i][0], high: band[i][1] }) })),
    ...[...concepts].flatMap(([concept, values]) => values.map((y, i) => row(concept, i, y))),
  ];
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
