import { settings } from "@lethe/unlearn";
import { linesBeside, withControls } from "../../report/figures/beside.ts";
import { layerTicks } from "../../report/figures/layer-ticks.ts";
import { type Frame, type Line, linesPanel } from "../../report/figures/lines.ts";
import type { Figure } from "../../report/figures/render.ts";
import { overallPanels, type Panel } from "../../report/panels.ts";
import {
  centresOf,
  drawnScoresOf,
  type KrsDefinition,
  lowestScore,
  PAPER_KRS,
  type RestorationCell,
  scoresOf,
  settingsOf,
} from "./scores.ts";

/** The lowest end of the axis. Lower scores are cut off: a model that collapsed reaches −2 and less. */
export const LOWEST_KRS = -0.5;

type Setting = (typeof settings)[number];

/**
 * KRS by centre layer of the restored window, one line a setting. All panels have the same scale.
 * @param isolated whether to draw the isolated settings, the paper's Figure 3, or the others, its Figure 1
 */
export function krsFigure(
  name: string,
  cells: readonly RestorationCell[],
  definition: KrsDefinition,
  isolated = false,
): Figure<RestorationCell> {
  const swept = settingsOf(cells, isolated);
  const bottom = bottomOf(lowestScore(cells, definition, isolated));
  return {
    name,
    description:
      "Knowledge Recovery Score by centre layer of the restored window. " +
      `Lines: ${swept.map(({ label }) => label).join(", ")} restored.`,
    draw(panel) {
      const centres = centresOf(panel.cells);
      const lines = swept.map((setting) => {
        return { label: setting.label, ...lineOf(setting, panel.cells, centres, definition) };
      });
      return linesPanel(panel, frameOf(panel.cells, centres, bottom, 230), lines);
    },
  };
}

/** A panel of {@link besideControls}: one setting in one model. */
export interface SettingPanel extends Panel<RestorationCell> {
  readonly setting: Setting;
}

/** The panels of {@link besideControls}: for each model those of each setting. */
export function settingPanels(cells: readonly RestorationCell[], isolated: boolean): SettingPanel[] {
  return overallPanels(cells).flatMap((panel) =>
    settingsOf(cells, isolated).map((setting) => {
      return { ...panel, title: `${panel.model} · ${setting.label} restored`, setting };
    }),
  );
}

/** KRS by centre layer of each setting alone: the unlearned models' mean and each concept's, and the same of their controls. */
export function besideControls(
  name: string,
  cells: readonly RestorationCell[],
  isolated: boolean,
): Figure<RestorationCell, SettingPanel> {
  const bottom = bottomOf(lowestScore(cells, PAPER_KRS, isolated));
  return {
    name,
    description:
      "Knowledge Recovery Score by centre layer, one panel a setting: the unlearned models and, grey, their controls.",
    draw(panel) {
      const centres = centresOf(withControls(panel.cells, cells));
      const own = { label: "unlearned", ...lineOf(panel.setting, panel.cells, centres, PAPER_KRS) };
      const others = linesBeside(panel.cells, cells, (cell) => scoresOf(cell, panel.setting.name, PAPER_KRS, centres));
      return linesPanel(panel, frameOf(panel.cells, centres, bottom, 170), [own, ...others]);
    },
  };
}

function lineOf(
  setting: Setting,
  cells: readonly RestorationCell[],
  centres: readonly number[],
  definition: KrsDefinition,
): Line<RestorationCell> {
  return {
    ...markOf(setting),
    values: cells.map((cell) => scoresOf(cell, setting.name, definition, centres)),
    ...(definition === PAPER_KRS && {
      questions: {
        count: cells[0]!.result.base.paper.length,
        of: (cell: RestorationCell, drawn: readonly number[]) => drawnScoresOf(cell, setting.name, centres, drawn),
      },
    }),
  };
}

/** How a setting's line is marked. A component has one colour in all figures. */
export function markOf(setting: Setting): Pick<Line, "marker" | "place"> {
  const place = settings.filter(({ isolated }) => isolated === setting.isolated).indexOf(setting);
  return { marker: setting.marker, place };
}

/** To the next tenth below the lowest score; with no score below 0, a little below 0 so that a line along it can be seen. */
export function bottomOf(lowest: number): number {
  return Math.max(LOWEST_KRS, lowest < 0 ? Math.floor(lowest * 10 - 1e-9) / 10 : -0.04);
}

function frameOf(cells: readonly RestorationCell[], centres: readonly number[], bottom: number, height: number): Frame {
  const { options, result } = cells[0]!;
  return krsFrame({ radius: options.windowRadius, depth: result.depth, centres, bottom, height });
}

/** The axes of KRS by centre layer. */
export function krsFrame({
  radius,
  depth,
  centres,
  bottom,
  height,
}: {
  /** Layers restored on either side of the centre. */
  readonly radius: number;
  /** Layers of the model. */
  readonly depth: number;
  readonly centres: readonly number[];
  /** The lowest score that is shown. */
  readonly bottom: number;
  readonly height: number;
}): Frame {
  const [left, right] = [-0.5, depth - 0.5];
  return {
    width: 330,
    height,
    xOf: (i) => centres[i]!,
    x: {
      title: `centre layer of the ${2 * radius + 1} restored`,
      domain: [left, right],
      axis: { values: layerTicks(depth) },
    },
    y: { title: "Knowledge Recovery Score", domain: [bottom, 1], axis: { tickCount: 6, format: ".1~f" } },
    shaded: [
      { from: left, to: Math.min(left + radius, right) },
      { from: Math.max(left, right - radius), to: right },
    ],
  };
}
