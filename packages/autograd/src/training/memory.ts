import { bytesTogether, type MemoryNeed, type Tensor } from "@lethe/tensor";
import { anyObject, checked, listOf, oneOf, optional, options } from "@lethe/tensor/checked";
import { type OptimiserName, optimiserNamed, optimiserNames } from "./optimisers/list.ts";
import type { SelectedWeight } from "./parameter.ts";
import { type WeightsName, weightsNamed, weightsNames } from "./weights/list.ts";

/** A parameter that is to be trained, or the size that it will have. */
export interface Sized extends Pick<SelectedWeight, "name" | "column"> {
  readonly parameter: Pick<Tensor, "device" | "shape">;
}

/** How parameters are trained. */
export interface TrainingChoice {
  /** Default: `adamw`. */
  readonly optimiser?: OptimiserName | undefined;
  /** How the weights are kept. Default: `f32`. */
  readonly weights?: WeightsName | undefined;
}

/**
 * The memory that training needs beside the parameters, which have the dtype of the weights that are chosen: for each of them a gradient, what
 * the optimiser keeps, an f32 copy where there is one, and the scratch of an update. Pass it to `requireMemory` before training starts.
 * Activations are not in it; they depend on the batch.
 * @function
 */
export const trainingMemory = checked(
  "trainingMemory",
  {
    trainables: listOf(anyObject),
    choice: optional(options({ optimiser: optional(oneOf(optimiserNames)), weights: optional(oneOf(weightsNames)) })),
  },
  (trainables: readonly Sized[], { optimiser, weights }: TrainingChoice = {}): MemoryNeed[] => {
    if (trainables.length === 0) return [];
    const { device } = trainables[0]!.parameter;
    const rule = optimiserNamed(optimiser);
    const { copy, scratch } = weightsNamed(weights);
    const whole = (shape: readonly number[]) => shape;
    const kept = [
      { part: "gradients", dtype: "f32", of: whole } as const,
      ...rule.slots,
      ...(copy ? [{ part: copy.part, dtype: "f32", of: whole } as const] : []),
    ];
    const needs = kept.flatMap(({ part, dtype, of }) => {
      const wanted = trainables.flatMap(({ name, parameter }) => {
        const shape = of(parameter.shape);
        return shape ? [{ label: name, shape }] : [];
      });
      const bytes = bytesTogether(
        device,
        wanted.map((each) => [each]),
        dtype,
      );
      return wanted.map(({ label: name }, i) => ({ part, name, bytes: bytes[i]! }));
    });
    const scratches = trainables.map(({ parameter: { shape }, column }) => {
      return scratch(device, shape, rule.grain(shape, column)) + (rule.scratch?.(device, shape) ?? 0);
    });
    const most = Math.max(...scratches);
    return most > 0 ? [...needs, { part: "scratch of an update", name: "the largest parameter", bytes: most }] : needs;
  },
);
