import { type WeightsName, weightsNamed } from "@lethe/autograd";
import { castInto, type F32, seedOf, type Weight } from "@lethe/tensor";

/** A weight's values in f32: the weight itself, or a tensor of the innermost open scope. */
export function widened(weight: Weight): F32 {
  if (weight.dtype === "f32") return weight as F32;
  const wide = weight.device.empty(weight.shape, "f32", `${weight.label}, widened`);
  castInto(wide, weight);
  return wide;
}

/** Writes values into a trained weight, rounded as its updates are. */
export function writeWeight(
  { name, parameter }: { readonly name: string; readonly parameter: Weight },
  values: F32,
  { kept, seed }: { readonly kept: WeightsName; readonly seed: number },
): void {
  weightsNamed(kept).write(parameter, values, { seed: seedOf(seed, "rounding", "write", name), step: 0 });
}
