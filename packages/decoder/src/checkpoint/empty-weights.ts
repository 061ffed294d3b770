import { adjacent, type Device, type FloatDType, type Weight } from "@lethe/tensor";
import { modules } from "../pass/layout.ts";

/** Modules of a layer that multiply the same input. */
const together = [
  [modules.query, modules.key, modules.value],
  [modules.gate, modules.up],
] as const;

/**
 * Makes a model's weights, with undefined values and of no scope. Those that multiply the same input lie one after another, so that one
 * product can read them.
 * @param wanted by name
 */
export function emptyWeights(
  device: Device,
  wanted: ReadonlyMap<string, { readonly shape: readonly number[]; readonly dtype: FloatDType }>,
): Map<string, Weight> {
  const joint = new Map<string, Weight>();
  for (const modules of together) {
    for (let layer = 0; wanted.has(`${modules[0](layer)}.weight`); layer++) {
      const names = modules.map((module) => `${module(layer)}.weight`);
      const parts = names.flatMap((label) => ({ label, ...wanted.get(label)! }));
      const [{ dtype }] = parts as [(typeof parts)[0]];
      if (parts.some((part) => part.dtype !== dtype)) continue;
      for (const weight of adjacent(device, parts, dtype)) joint.set(weight.label, weight);
    }
  }
  return new Map(
    Array.from(wanted, ([name, { shape, dtype }]) => [name, joint.get(name) ?? device.lasting(shape, dtype, name)]),
  );
}
