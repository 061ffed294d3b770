import { type Frame, type Line, linesPanel } from "../../report/figures/lines.ts";
import type { Figure } from "../../report/figures/render.ts";
import type { Panel } from "../../report/panels.ts";
import { type DepthCell, dropsOf, layersOf, meanByLayer, neverOf, type QuestionKind } from "./scores.ts";

/** Lines of both figures, each with a colour and a mark of its own. */
const STYLES = {
  concept: { marker: "circle", place: 0 },
  others: { marker: "triangle-up", place: 2 },
  never: { marker: "square", place: 3 },
  vanilla: { marker: "diamond", place: 1 },
} as const;

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
  const step = [1, 2, 4, 5, 8, 10, 20].find((candidate) => depth / candidate <= 12) ?? 50;
  return {
    width: 330,
    height: 230,
    xOf: (i) => layers[i]!,
    x: {
      title,
      domain: [-0.5, depth - 0.5],
      axis: { values: Array.from({ length: Math.ceil(depth / step) }, (_, i) => i * step) },
    },
    y,
  };
}

/** A line of each cell of a panel; none where one of the cells has no such values. */
function lineOf(
  panel: Panel<DepthCell>,
  label: string,
  style: keyof typeof STYLES,
  values: (cell: DepthCell) => number[] | undefined,
): Line[] {
  const lists = panel.cells.map(values);
  return lists.every((list) => list !== undefined) ? [{ label, ...STYLES[style], values: lists }] : [];
}

/** The line of the model that never learned the concept, in the panels of other models. */
function neverLine(panel: Panel<DepthCell>, all: readonly DepthCell[], values: (cell: DepthCell) => number[]): Line[] {
  return lineOf(panel, "never learned", "never", (cell) => {
    const never = neverOf(cell, all);
    return never && never !== cell ? values(never) : undefined;
  });
}

const NEVER = "and, where there is one, a model that never learned the concept.";

/** Δ by the layer after which the stream was patched. All panels have the same scale. */
export function dropFigure(all: readonly DepthCell[]): Figure<DepthCell> {
  const kinds = ["target", "unrelated"] as const;
  const values = all.flatMap((cell) => kinds.flatMap((kind) => meanByLayer(dropsOf(cell, kind))));
  const domain = domainOf(values);
  return {
    name: "depth",
    description:
      "Log-probability that the answers lose when the measured model's residual stream is patched into the vanilla model, by the layer " +
      `after which it is patched. Lines: questions about the concept; other questions; ${NEVER}`,
    draw(panel) {
      const layers = layersOf(panel.cells);
      const drop = (kind: QuestionKind) => (cell: DepthCell) => meanByLayer(dropsOf(cell, kind, layers));
      const y = { title: "Δ, lost log-probability (nats)", domain, axis: { tickCount: 6, format: "~f" } };
      return linesPanel(panel, frameOf(panel, layers, y, "patched after layer"), [
        ...lineOf(panel, "concept", "concept", drop("target")),
        ...lineOf(panel, "other questions", "others", drop("unrelated")),
        ...neverLine(panel, all, drop("target")),
      ]);
    },
  };
}

/** What the logit lens reads of the concept's answers after each layer. All panels have the same scale. */
export function lensFigure(all: readonly DepthCell[]): Figure<DepthCell> {
  const read = (model: "vanilla" | "subject") => (cell: DepthCell) =>
    meanByLayer(cell.result.target.lens[model].logProb);
  const values = all.flatMap((cell) => [...read("vanilla")(cell), ...read("subject")(cell)]);
  const domain = domainOf(values);
  return {
    name: "lens",
    description:
      "Mean log-probability of the concept's answers that the logit lens reads after each layer, through the vanilla model's final norm " +
      `and unembedding. Lines: the vanilla model; the measured model; ${NEVER}`,
    draw(panel) {
      const layers = Array.from({ length: panel.cells[0]!.result.depth }, (_, layer) => layer);
      const y = { title: "log-probability (nats)", domain, axis: { tickCount: 6, format: "~f" } };
      return linesPanel(panel, frameOf(panel, layers, y, "read after layer"), [
        ...lineOf(panel, "vanilla", "vanilla", read("vanilla")),
        ...lineOf(panel, "this model", "concept", read("subject")),
        ...neverLine(panel, all, read("subject")),
      ]);
    },
  };
}
