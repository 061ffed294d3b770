import { type DepthScore, unlearningDepth } from "@lethe/unlearn";
import { isEqual } from "es-toolkit/predicate";
import { mean, meanOfCells } from "../../report/panels.ts";
import { controlsOf } from "../../subjects/controls.ts";
import type { StudyCell } from "../study.ts";
import type { DepthOptions, DepthResult, Measured } from "./schema.ts";

/** A cell with the depth study's log-probabilities. */
export type DepthCell = StudyCell<DepthOptions, DepthResult>;

/** The questions about the concept, or those about other things. */
export type QuestionKind = "target" | "unrelated";

/** The vanilla model's own log-probability of each question's tokens: what the logit lens reads after the last layer. */
export function baseOf({ lens }: Measured): readonly number[] {
  return lens.vanilla.logProb.at(-1)!;
}

/**
 * Δ by patched layer and question: the log-probability that the answer's tokens lose with the subject's stream in the vanilla model.
 * @param layers of the cell's patched layers; default: all
 */
export function dropsOf({ result }: DepthCell, kind: QuestionKind, layers = result.layers): number[][] {
  const base = baseOf(result[kind]);
  return layers.map((layer) =>
    result[kind].patched[result.layers.indexOf(layer)]!.map((logProb, question) => base[question]! - logProb),
  );
}

/** The layers after which every one of these cells of a model was patched: cells of different strides share the multiples of both. */
export function layersOf([first, ...others]: readonly DepthCell[]): number[] {
  return first!.result.layers.filter((layer) => others.every(({ result }) => result.layers.includes(layer)));
}

/** By layer and question, how much less the logit lens reads from the subject than from the vanilla model. */
function lensDropsOf({ result: { target } }: DepthCell): number[][] {
  const { vanilla, subject } = target.lens;
  return subject.logProb.map((layer, i) => layer.map((logProb, question) => vanilla.logProb[i]![question]! - logProb));
}

/**
 * The mean over questions at each layer.
 * @param drawn positions of the questions that count, some of them more than once. Default: every question once
 */
export function meanByLayer(values: readonly (readonly number[])[], drawn?: readonly number[]): number[] {
  return values.map((layer) => mean(drawn ? drawn.map((question) => layer[question]!) : layer));
}

/** The control of a cell that never learned the concept, patched after the same layers; undefined where there is none. */
export function neverOf(cell: DepthCell, all: readonly DepthCell[]): DepthCell | undefined {
  return controlsOf(cell, all).find((other) => isNever(other) && isEqual(other.options, cell.options));
}

/** Whether a cell's subject is a model that never learned the concept. */
export function isNever({ config }: DepthCell): boolean {
  return config.subject.kind === "never";
}

/** The unlearning depth score of a cell, from its patches or from the logit lens, beside the cell of a model that never learned. */
export function depthScoreOf(cell: DepthCell, never: DepthCell, by: "patches" | "lens"): DepthScore {
  const drops = (cell: DepthCell) => (by === "patches" ? dropsOf(cell, "target") : lensDropsOf(cell));
  return unlearningDepth(drops(never), drops(cell));
}

/** Mean Δ over questions and cells, by the layers of {@link layersOf}. */
export function meanDrops(cells: readonly DepthCell[], kind: QuestionKind): number[] {
  const layers = layersOf(cells);
  return meanOfCells(cells, (cell) => meanByLayer(dropsOf(cell, kind, layers)));
}

/** What the logit lens reads of the concept's answers after each layer: the mean over questions and cells. */
export function meanReadings(
  cells: readonly DepthCell[],
  model: "vanilla" | "subject",
  what: "logProb" | "first",
): number[] {
  return meanOfCells(cells, ({ result }) => meanByLayer(result.target.lens[model][what]));
}
