import { type DepthScore, unlearningDepth } from "@lethe/unlearn";
import { mean, meanOfLists } from "../../report/panels.ts";
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

/** The mean over questions at each layer. */
export function meanByLayer(values: readonly (readonly number[])[]): number[] {
  return values.map(mean);
}

/**
 * The cell of a model that never learned the concept, measured on the same questions, tokens and layers; undefined where there is none.
 * One of the same seed comes first.
 */
export function neverOf({ config, options }: DepthCell, all: readonly DepthCell[]): DepthCell | undefined {
  const asked = ({ config, options }: Pick<DepthCell, "config" | "options">) =>
    JSON.stringify([config.model, config.concept, config.evaluation, options]);
  const found = all.filter((other) => isNever(other) && asked(other) === asked({ config, options }));
  return found.find((other) => other.config.seed === config.seed) ?? found[0];
}

/** Whether a cell's subject is a model that never learned the concept. */
export function isNever({ config }: DepthCell): boolean {
  return (config.subject.kind as string) === "never";
}

/** The unlearning depth score of a cell, from its patches or from the logit lens, beside the cell of a model that never learned. */
export function depthScoreOf(cell: DepthCell, never: DepthCell, by: "patches" | "lens"): DepthScore {
  const drops = (cell: DepthCell) => (by === "patches" ? dropsOf(cell, "target") : lensDropsOf(cell));
  return unlearningDepth(drops(never), drops(cell));
}

/** Mean Δ over cells and questions, by the layers of {@link layersOf}. */
export function meanDrops(cells: readonly DepthCell[], kind: QuestionKind): number[] {
  const layers = layersOf(cells);
  return meanOfLists(cells.map((cell) => meanByLayer(dropsOf(cell, kind, layers))));
}

/** What the logit lens reads of the concept's answers after each layer: the mean over cells and questions. */
export function meanReadings(
  cells: readonly DepthCell[],
  model: "vanilla" | "subject",
  what: "logProb" | "first",
): number[] {
  return meanOfLists(cells.map(({ result }) => meanByLayer(result.target.lens[model][what])));
}
