import { linesBeside, withControls } from "../../report/figures/beside.ts";
import { layerTicks } from "../../report/figures/layer-ticks.ts";
import { type Frame, type Line, linesPanel } from "../../report/figures/lines.ts";
import type { Figure } from "../../report/figures/render.ts";
import type { Panel } from "../../report/panels.ts";
import { type DepthCell, dropsOf, layersOf, meanByLayer } from "./scores.ts";

/** Lines of both figures, each with a colour and a mark of its own. */
const STYLES = {
  concept: { marker: "circle", place: 0 },
  others: { marker: "triangle-up", place: 2 },
  vanilla: { marker: "diamond", place: 1 },
} as const;

/** Numbers of a cell, by layer and question. */
type Values = (cell: DepthCell) => readonly (readonly number[])[];

/** The ends of an axis that shows 0 and all values. */
function domainOf(values: readonly number[]): [number, number] {
  const [lowest, highest] = [Math.min(0, ...values), Math.max(0, ...values)];
  const range = highest - lowest || 1;
  const step = 10 ** Math.floor(Math.log10(range)) / 2;
  // A line along 0 is not cut in half at the frame's edge.
  const margin = range / 40;
  return [Math.min(-margin, Math.floor(lowest / step) * step), Math.max(margin, Math.ceil(highest / step) * step)];
}

function frameOf({ cells }: Panel<DepthCell>, layers: readonly number[], y: Frame["y"], title: string): Frame {
  const { depth } = cells[0]!.result;
  return {
    width: 330,
    height: 230,
    xOf: (i) => layers[i]!,
    x: { title, domain: [-0.5, depth - 0.5], axis: { values: layerTicks(depth) } },
    y,
  };
}

/** A line of a panel's own cells. Its band is over questions where there is one concept. */
function lineOf(
  { cells }: Panel<DepthCell>,
  label: string,
  style: keyof typeof STYLES,
  values: Values,
): Line<DepthCell> {
  return {
    label,
    ...STYLES[style],
    values: cells.map((cell) => meanByLayer(values(cell))),
    questions: {
      count: values(cells[0]!)[0]!.length,
      of: (cell, drawn) => meanByLayer(values(cell), drawn),
    },
  };
}

/** Δ by the layer after which the stream was patched. All panels have the same scale. */
export function dropFigure(all: readonly DepthCell[]): Figure<DepthCell> {
  const kinds = ["target", "unrelated"] as const;
  const domain = domainOf(all.flatMap((cell) => kinds.flatMap((kind) => meanByLayer(dropsOf(cell, kind)))));
  return {
    name: "depth",
    description:
      "Log-probability that the answers lose when the measured model's residual stream is patched into the vanilla model, by the layer " +
      "after which it is patched. Lines: questions about the concept; other questions; and, grey, the concept's in the controls.",
    draw(panel) {
      const layers = layersOf(withControls(panel.cells, all));
      const drop = (kind: (typeof kinds)[number]) => (cell: DepthCell) => dropsOf(cell, kind, layers);
      const y = { title: "Δ, lost log-probability (nats)", domain, axis: { tickCount: 6, format: "~f" } };
      return linesPanel(panel, frameOf(panel, layers, y, "patched after layer"), [
        lineOf(panel, "concept", "concept", drop("target")),
        lineOf(panel, "other questions", "others", drop("unrelated")),
        ...linesBeside(panel.cells, all, (cell) => meanByLayer(drop("target")(cell))),
      ]);
    },
  };
}

/** What the logit lens reads of the concept's answers after each layer. All panels have the same scale. */
export function lensFigure(all: readonly DepthCell[]): Figure<DepthCell> {
  const vanilla: Values = ({ result }) => result.target.lens.vanilla.logProb;
  const subject: Values = ({ result }) => result.target.lens.subject.logProb;
  const domain = domainOf(all.flatMap((cell) => [vanilla, subject].flatMap((read) => meanByLayer(read(cell)))));
  return {
    name: "lens",
    description:
      "Mean log-probability of the concept's answers that the logit lens reads after each layer, through the vanilla model's final norm " +
      "and unembedding. Lines: the vanilla model; the measured model; and, grey, the controls.",
    draw(panel) {
      const layers = Array.from({ length: panel.cells[0]!.result.depth }, (_, layer) => layer);
      const y = { title: "log-probability (nats)", domain, axis: { tickCount: 6, format: "~f" } };
      return linesPanel(panel, frameOf(panel, layers, y, "read after layer"), [
        lineOf(panel, "vanilla", "vanilla", vanilla),
        lineOf(panel, "this model", "concept", subject),
        ...linesBeside(panel.cells, all, (cell) => meanByLayer(subject(cell))),
      ]);
    },
  };
}
