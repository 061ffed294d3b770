import type { Alignment, Krs } from "@lethe/unlearn";
import { SETTINGS, type Setting } from "@lethe/unlearn";
import type { CellResult } from "../experiment/cell.ts";
import type { Method } from "../experiment/presets.ts";

export type Aggregation = keyof Krs;

/** Which of the definitions of KRS a figure or table shows. */
export interface KrsDefinition {
  readonly alignment: Alignment;
  readonly aggregation: Aggregation;
}

/** The paper's wording and formula. */
export const PAPER_KRS: KrsDefinition = { alignment: "paper", aggregation: "ratioOfMeans" };
/** What the authors' notebooks compute. */
export const RELEASED_KRS: KrsDefinition = { alignment: "released", aggregation: "meanOfRatios" };

export const METHOD_NAMES: Readonly<Record<Method, string>> = { graddiff: "Gradient Difference", npo: "NPO" };

/** All concepts of one model and method: what one panel of a figure shows. */
export interface Panel {
  readonly model: string;
  readonly method: Method;
  readonly title: string;
  readonly cells: readonly CellResult[];
}

/** Panels row by row: one row a model, one column a method. Expects cells in the order of `readResults`. */
export function panelsOf(cells: readonly CellResult[]): Panel[] {
  const panels = new Map<string, { model: string; method: Method; title: string; cells: CellResult[] }>();
  for (const cell of cells) {
    const model = cell.config.model.name;
    const method = cell.config.training.objective.name;
    const key = JSON.stringify([model, method]);
    const panel = panels.get(key) ?? { model, method, title: `${model} · ${METHOD_NAMES[method]}`, cells: [] };
    panel.cells.push(cell);
    panels.set(key, panel);
  }
  return [...panels.values()];
}

/** Concepts whose names together are longer, and so the panel wider, are counted rather than named. */
const LONGEST_NAMES = 30;

/** A panel's title, and under it what its lines are. */
export function headingOf({ title, cells }: Panel): { readonly text: string; readonly subtitle: string } {
  const names = cells.map(({ config }) => config.concept.name);
  const listed = names.join(", ");
  const several =
    listed.length > LONGEST_NAMES ? `mean of ${names.length} concepts, each thin` : `mean (thin: ${listed})`;
  return { text: title, subtitle: names.length === 1 ? listed : several };
}

/** KRS per centre layer of one cell. */
export function scoresOf(cell: CellResult, setting: Setting, definition: KrsDefinition): readonly number[] {
  return cell.restoration.curves[setting][definition.alignment][definition.aggregation];
}

/** Every score of a panel, in no order that matters. */
export function scoresOfPanel({ cells }: Panel, definition: KrsDefinition): number[] {
  return cells.flatMap((cell) => SETTINGS.flatMap((setting) => [...scoresOf(cell, setting, definition)]));
}

/** Mean over a panel's concepts of KRS per centre layer. */
export function meanScores(panel: Panel, setting: Setting, definition: KrsDefinition): number[] {
  return meanOfLists(panel.cells.map((cell) => scoresOf(cell, setting, definition)));
}

/** The highest point of a curve. */
export function peakOf(scores: readonly number[]): { readonly layer: number; readonly krs: number } {
  const krs = Math.max(...scores);
  return { layer: scores.indexOf(krs), krs };
}

/** Position by position; a shorter list, of a run that ended early, goes on at its last value: its model stays as it is. */
export function meanOfLists(lists: readonly (readonly number[])[]): number[] {
  const length = Math.max(...lists.map((list) => list.length));
  return Array.from({ length }, (_, position) => mean(lists.map((list) => list[position] ?? list.at(-1)!)));
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** How far the curves of two definitions lie apart at most, over settings and layers, as means over the panel's concepts. */
export function largestGap(panel: Panel, one: KrsDefinition, other: KrsDefinition): number {
  const gaps = SETTINGS.flatMap((setting) => {
    const others = meanScores(panel, setting, other);
    return meanScores(panel, setting, one).map((krs, layer) => Math.abs(krs - others[layer]!));
  });
  return Math.max(...gaps);
}
