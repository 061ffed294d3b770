import { type Alignment, type Krs, krs, type RestorationLosses, type SettingName, settings } from "@lethe/unlearn";
import { meanOfLists } from "../../report/panels.ts";
import type { StudyCell } from "../study.ts";
import type { RestorationOptions } from "./schema.ts";

/** A cell with the restoration study's losses. */
export type RestorationCell = StudyCell<RestorationOptions, RestorationLosses>;

/** One of the definitions of KRS. */
export interface KrsDefinition {
  readonly alignment: Alignment;
  readonly aggregation: keyof Krs;
}

/** The paper's words and formula. */
export const PAPER_KRS: KrsDefinition = { alignment: "paper", aggregation: "ratioOfMeans" };
/** What the authors' notebooks compute. */
export const RELEASED_KRS: KrsDefinition = { alignment: "released", aggregation: "meanOfRatios" };

/** KRS of one cell, computed from its losses: around each of its centre layers, or around those given, which must be among them. */
export function scoresOf(
  cell: RestorationCell,
  setting: SettingName,
  { alignment, aggregation }: KrsDefinition,
  centres = cell.result.centres,
): number[] {
  const { base, restored } = cell.result;
  return centres.map((centre) => {
    const losses = restored[setting][alignment][cell.result.centres.indexOf(centre)]!;
    return krs(base[alignment], losses)[aggregation];
  });
}

/** The centre layers that every one of these cells was swept around: cells of different strides share the multiples of both. */
export function centresOf([first, ...others]: readonly RestorationCell[]): number[] {
  return first!.result.centres.filter((centre) => others.every(({ result }) => result.centres.includes(centre)));
}

/** The settings that every one of these cells was swept with. */
export function settingsOf(cells: readonly RestorationCell[]): (typeof settings)[number][] {
  return settings.filter(({ name }) => cells.every(({ result }) => name in result.restored));
}

/** Mean KRS over cells around each centre layer of {@link centresOf}. */
export function meanScores(
  cells: readonly RestorationCell[],
  setting: SettingName,
  definition: KrsDefinition,
): number[] {
  const centres = centresOf(cells);
  return meanOfLists(cells.map((cell) => scoresOf(cell, setting, definition, centres)));
}

/** The lowest score of any setting and layer. */
export function lowestScore(cells: readonly RestorationCell[], definition: KrsDefinition): number {
  return Math.min(
    ...settingsOf(cells).flatMap(({ name }) => cells.flatMap((cell) => scoresOf(cell, name, definition))),
  );
}

/** The largest distance between the mean curves of two definitions, over settings and layers. */
export function largestGap(cells: readonly RestorationCell[], one: KrsDefinition, other: KrsDefinition): number {
  const gaps = settingsOf(cells).flatMap(({ name }) => {
    const others = meanScores(cells, name, other);
    return meanScores(cells, name, one).map((score, layer) => Math.abs(score - others[layer]!));
  });
  return Math.max(...gaps);
}
