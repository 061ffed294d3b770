import { settings } from "@lethe/unlearn";
import { strokesOf } from "../../report/figures/beside.ts";
import { bleuPanel } from "../../report/figures/epochs.ts";
import { type Line, linesPanel } from "../../report/figures/lines.ts";
import { type Figure, renderFigure } from "../../report/figures/render.ts";
import type { Panel, ReportCell } from "../../report/panels.ts";
import { bottomOf, krsFrame, markOf } from "../../studies/restoration/figure.ts";
import type { LiveKrs } from "../../studies/restoration/measure.ts";
import type { RestorationOptions } from "../../studies/restoration/schema.ts";
import type { CellState } from "../run.ts";

/** What figures are drawn from: a cell, its controls, and the layers of its model. */
export interface Drawn {
  readonly cell: CellState;
  readonly controls: readonly CellState[];
  readonly layers: number;
}

/** Lines read a cell's configuration and nothing else of it. */
const asReported = ({ config }: CellState): ReportCell => ({ config }) as unknown as ReportCell;

/**
 * Draws what a running cell has measured so far.
 * @param show takes the text of each figure's SVG as soon as it is drawn
 */
export async function drawLive(drawn: Drawn, show: (name: string, svg: string) => void): Promise<void> {
  const figures = [lossFigure(drawn), bleuFigure(drawn), krsFigure(drawn), ...besideFigures(drawn)];
  for (const figure of figures) if (figure) show(figure.name, await render(figure, drawn.cell));
}

type Shown = Pick<Figure, "name" | "description" | "draw"> & { readonly title: string };

function render({ title, ...figure }: Shown, cell: CellState): Promise<string> {
  const reported = asReported(cell);
  const panel: Panel = { model: reported.config.model.name, subject: "", title, cells: [reported], concepts: [] };
  return renderFigure(figure, [panel]);
}

function lossFigure({ cell: { losses, steps } }: Drawn): Shown | undefined {
  // One loss makes no line.
  if (losses.length < 2) return undefined;
  return {
    name: "loss",
    title: "Loss",
    description: "Training loss by optimiser step.",
    draw: (panel) =>
      linesPanel(
        panel,
        {
          width: 330,
          height: 190,
          xOf: (i) => i + 1,
          x: { title: "optimiser step", domain: [0, steps], axis: { tickMinStep: 1, tickCount: 8 } },
          y: { title: "loss", domain: [Math.min(0, ...losses), Math.max(0, ...losses)], axis: { tickCount: 5 } },
        },
        [{ place: 2, values: [losses] }],
      ),
  };
}

function bleuFigure({ cell: { epochs } }: Drawn): Shown | undefined {
  if (epochs.length === 0) return undefined;
  return {
    name: "bleu",
    title: "Answers",
    description: "Mean BLEU of the answers against those before unlearning, by training epoch.",
    draw: (panel) => bleuPanel(panel, (kind) => [[1, ...epochs.map(({ bleu }) => bleu[kind])]], epochs[0]!.of),
  };
}

function krsFigure({ cell, layers }: Drawn): Shown | undefined {
  const lines = settings.flatMap((setting): Line[] => {
    const measured = cell.krs[setting.name];
    return measured ? [{ label: setting.label, ...markOf(setting), values: [measured.map(({ krs }) => krs)] }] : [];
  });
  if (lines.length === 0) return undefined;
  return {
    name: "krs",
    title: "Recovery by layer",
    description: `Knowledge Recovery Score by centre layer of the restored window. Lines: ${lines.map(({ label }) => label).join(", ")} restored.`,
    draw: (panel) => linesPanel(panel, frameOf(cell, [cell], layers, 260), lines),
  };
}

/** Each setting alone, with the controls beside it. */
function besideFigures({ cell, controls, layers }: Drawn): Shown[] {
  return settings.flatMap((setting): Shown[] => {
    const measured = cell.krs[setting.name];
    const beside = controls.flatMap((control, i): Line[] => {
      const own = control.krs[setting.name];
      return own
        ? [
            {
              label: control.config.subject.kind,
              place: 0,
              cells: [asReported(control)],
              values: [own.map(({ krs }) => krs)],
              beside: strokesOf(i),
            },
          ]
        : [];
    });
    if (!measured || beside.length === 0) return [];
    const own: Line = { label: "unlearned", ...markOf(setting), values: [measured.map(({ krs }) => krs)] };
    return [
      {
        name: `krs-${setting.name}`,
        title: `${setting.label} restored`,
        description: `Knowledge Recovery Score by centre layer with ${setting.label} restored: the unlearned model and, grey, its controls.`,
        draw: (panel) => linesPanel(panel, frameOf(cell, [cell, ...controls], layers, 170), [own, ...beside]),
      },
    ];
  });
}

function frameOf({ config }: CellState, shown: readonly CellState[], depth: number, height: number) {
  const { windowRadius: radius, windowStride: stride } = config.studies.restoration as RestorationOptions;
  const centres = Array.from({ length: Math.ceil(depth / stride) }, (_, i) => i * stride);
  const scores = shown.flatMap(({ krs }) => (Object.values(krs) as (readonly LiveKrs[])[]).flat());
  const lowest = Math.min(...scores.map(({ krs }) => krs));
  return krsFrame({ radius, depth, centres, bottom: bottomOf(lowest), height });
}
