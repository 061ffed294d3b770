import type { SettingName } from "@lethe/unlearn";
import type { Measurement } from "../../../report/findings/claim.ts";
import { mean, meanOfLists } from "../../../report/panels.ts";
import { centresOf, drawnScoresOf, PAPER_KRS, type RestorationCell, scoresOf } from "../scores.ts";

/** KRS by centre layer, as means over the cells of a draw. */
export interface Curves {
  /** The mean KRS of a setting over centres from one relative depth to another, from 0 for the first layer to 1 for the last. NaN where there are none. */
  mean(setting: string, from: number, below?: number): number;
  /** The highest KRS of a setting, over centres at this relative depth or more, and its place in words: "layer 9 of 0 to 11". */
  peak(setting: string, from?: number): { readonly value: number; readonly where: string };
}

/** A layer's place between the first layer, 0, and the last, 1. */
function relativeDepth(layer: number, depth: number): number {
  return depth === 1 ? 1 : layer / (depth - 1);
}

/**
 * How a claim about KRS curves is measured: by the paper's definition of KRS, on the centre layers that all cells share.
 * @param judge is given the mean curves of the settings
 * @returns a sentence where a cell was not swept with one of the settings
 */
export function onCurves(
  cells: readonly RestorationCell[],
  settings: readonly SettingName[],
  judge: (curves: Curves) => ReturnType<Measurement<RestorationCell>["judge"]>,
): Measurement<RestorationCell> | string {
  const absent = settings.filter((setting) => !cells.every(({ result }) => setting in result.restored));
  if (absent.length > 0)
    return `not every cell was swept with the ${absent.length > 1 ? "settings" : "setting"} ${absent.join(" and ")}`;
  const centres = centresOf(cells);
  const { depth, base } = cells[0]!.result;
  const kept = new Map<RestorationCell, readonly number[]>();
  const whole = (cell: RestorationCell) => {
    const scores = kept.get(cell) ?? settings.flatMap((setting) => scoresOf(cell, setting, PAPER_KRS, centres));
    kept.set(cell, scores);
    return scores;
  };
  return {
    // Cells of one concept are asked the same questions.
    questions: base.paper.length,
    numbers: (some, drawn) =>
      meanOfLists(
        some.map((cell) =>
          drawn ? settings.flatMap((setting) => drawnScoresOf(cell, setting, centres, drawn)) : whole(cell),
        ),
      ),
    judge: (numbers) => judge(curvesOf(numbers, settings, centres, depth)),
  };
}

function curvesOf(
  numbers: readonly number[],
  settings: readonly string[],
  centres: readonly number[],
  depth: number,
): Curves {
  const points = (setting: string, from: number, below: number) =>
    centres
      .map((centre, i) => ({ centre, score: numbers[settings.indexOf(setting) * centres.length + i]! }))
      .filter(({ centre }) => relativeDepth(centre, depth) >= from && relativeDepth(centre, depth) < below);
  return {
    mean: (setting, from, below = Number.POSITIVE_INFINITY) =>
      mean(points(setting, from, below).map(({ score }) => score)),
    peak(setting, from = 0) {
      const [first, ...others] = points(setting, from, Number.POSITIVE_INFINITY);
      const { centre, score } = others.reduce((best, point) => (point.score > best.score ? point : best), first!);
      return { value: score, where: `layer ${centre} of 0 to ${depth - 1}` };
    },
  };
}
