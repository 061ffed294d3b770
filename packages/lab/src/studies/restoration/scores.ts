import { type Alignment, type Krs, krs, type RestorationLosses, type SettingName, settings } from "@lethe/unlearn";
import { meanOfCells } from "../../report/panels.ts";
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
  centres: readonly number[] = cell.result.centres,
): number[] {
  const { base } = cell.result;
  return lossesOf(cell, setting, alignment, centres).map((losses) => krs(base[alignment], losses)[aggregation]);
}

/**
 * {@link scoresOf} by the paper's definition, on questions that were drawn, some of them more than once. A bootstrap draws thousands of
 * times, so this does without the checks of `krs`: the losses were checked when the cell was read.
 */
export function drawnScoresOf(
  cell: RestorationCell,
  setting: SettingName,
  centres: readonly number[],
  drawn: readonly number[],
): number[] {
  const sum = (losses: readonly number[]) => drawn.reduce((sum, question) => sum + losses[question]!, 0);
  const base = sum(cell.result.base[PAPER_KRS.alignment]);
  return lossesOf(cell, setting, PAPER_KRS.alignment, centres).map((losses) => 1 - sum(losses) / base);
}

function lossesOf(cell: RestorationCell, setting: SettingName, alignment: Alignment, centres: readonly number[]) {
  const { centres: swept, restored } = cell.result;
  return centres.map((centre) => restored[setting][alignment][swept.indexOf(centre)]!);
}

/** The centre layers that every one of these cells was swept around: cells of different strides share the multiples of both. */
export function centresOf([first, ...others]: readonly RestorationCell[]): number[] {
  return first!.result.centres.filter((centre) => others.every(({ result }) => result.centres.includes(centre)));
}

/**
 * The settings that every one of these cells was swept with.
 * @param isolated only those that hold all else at the unlearned model's own values, or only the others; default: both
 */
export function settingsOf(cells: readonly RestorationCell[], isolated?: boolean): (typeof settings)[number][] {
  return settings
    .filter(({ name }) => cells.every(({ result }) => name in result.restored))
    .filter((setting) => isolated === undefined || setting.isolated === isolated);
}

/** Mean KRS over seeds, and then over concepts, around each centre layer of {@link centresOf}. */
export function meanScores(
  cells: readonly RestorationCell[],
  setting: SettingName,
  definition: KrsDefinition,
): number[] {
  const centres = centresOf(cells);
  return meanOfCells(cells, (cell) => scoresOf(cell, setting, definition, centres));
}

/** The lowest score of any layer and any setting of {@link settingsOf}. */
export function lowestScore(cells: readonly RestorationCell[], definition: KrsDefinition, isolated: boolean): number {
  const swept = settingsOf(cells, isolated);
  return Math.min(...swept.flatMap(({ name }) => cells.flatMap((cell) => scoresOf(cell, name, definition))));
}

/** The largest distance between the mean curves of two definitions, over settings and layers. */
export function largestGap(cells: readonly RestorationCell[], one: KrsDefinition, other: KrsDefinition): number {
  const gaps = settingsOf(cells).flatMap(({ name }) => {
    const others = meanScores(cells, name, other);
    return meanScores(cells, name, one).map((score, layer) => Math.abs(score - others[layer]!));
  });
  return Math.max(...gaps);
}
