import { LetheError } from "@lethe/tensor";
import { checked, oneOf, optional } from "@lethe/tensor/checked";
import type { SelectedWeight } from "../parameter.ts";
import { bf16Masters } from "./bf16-masters.ts";
import { bf16Stochastic } from "./bf16-stochastic.ts";
import { f32Weights } from "./f32.ts";
import type { Weights } from "./weights.ts";

/** The ways of keeping trained weights. */
export const trainedWeights = [f32Weights, bf16Masters, bf16Stochastic] as const satisfies readonly Weights[];
/** Names of `trainedWeights`. */
export type WeightsName = (typeof trainedWeights)[number]["name"];
export const weightsNames = trainedWeights.map(({ name }) => name);

/**
 * A way of keeping trained weights by its name.
 * @param name default: `f32`
 * @function
 */
export const weightsNamed = checked(
  "weightsNamed",
  { name: optional(oneOf(weightsNames)) },
  (name: WeightsName = "f32"): Weights => trainedWeights.find((each) => each.name === name)!,
);

/** @throws {LetheError} when a weight has not the dtype in which weights that are kept so are trained */
export function requireWeights(selected: readonly SelectedWeight[], name?: WeightsName): void {
  const weights = weightsNamed(name);
  const other = selected.find(({ parameter }) => parameter.dtype !== weights.dtype);
  if (!other) return;
  const { dtype } = other.parameter;
  const fitting = trainedWeights.filter((each) => each.dtype === dtype).map((each) => each.name);
  const or = fitting.length > 0 ? `, or keep them as ${fitting.join(" or ")}` : "";
  throw new LetheError(
    `${other.name} is ${dtype}, and weights that are kept as ${weights.name} are trained in ${weights.dtype}. Train a copy in ${weights.dtype} (\`copyIn\` of a model)${or}.`,
  );
}
