import { bytesTogether, type Device, type FloatDType, together, type Weight } from "@lethe/tensor";
import { modules } from "../pass/layout.ts";

/** Modules of a layer that multiply the same input. */
const sameInput = [
  [modules.query, modules.key, modules.value],
  [modules.gate, modules.up],
] as const;

/** A weight that is to be made. */
export interface WantedWeight {
  readonly shape: readonly number[];
  readonly dtype: FloatDType;
}

/**
 * Makes a model's weights, with undefined values and of no scope. They lie in as few buffers as can be, so that one dispatch of an optimiser
 * reaches many; matrices come first, because they decay and other weights do not. Matrices that multiply the same input lie one after
 * another, so that one product can read them.
 * @param wanted by name
 * @param prefix of the labels, which are the names otherwise
 */
export function emptyWeights(
  device: Device,
  wanted: ReadonlyMap<string, WantedWeight>,
  prefix = "",
): Map<string, Weight> {
  const made = new Map<string, Weight>();
  for (const { dtype, parts } of partsOf(wanted)) {
    const labelled = parts.map((part) => part.map(({ label, shape }) => ({ label: prefix + label, shape })));
    for (const weight of together(device, labelled, dtype)) made.set(weight.label.slice(prefix.length), weight);
  }
  return new Map(Array.from(wanted.keys(), (name) => [name, made.get(name)!]));
}

/** The bytes that each weight takes on the device where {@link emptyWeights} makes it. */
export function bytesOfWeights(device: Device, wanted: ReadonlyMap<string, WantedWeight>): Map<string, number> {
  return new Map(
    partsOf(wanted).flatMap(({ dtype, parts }) => {
      const bytes = bytesTogether(device, parts, dtype);
      return parts.flat().map(({ label }, i) => [label, bytes[i]!] as const);
    }),
  );
}

/** Weights of each dtype, in the groups that lie together. */
function partsOf(wanted: ReadonlyMap<string, WantedWeight>) {
  const groups = groupsOf(wanted);
  const dtypes = new Set(Array.from(wanted.values(), (weight) => weight.dtype));
  return Array.from(dtypes, (dtype) => {
    const ofDType = groups.map((names) => names.filter((name) => wanted.get(name)!.dtype === dtype));
    return { dtype, parts: ofDType.map((names) => names.map((label) => ({ label, shape: wanted.get(label)!.shape }))) };
  });
}

/** Names of weights, matrices first, and in one group those of matrices that multiply the same input. */
function groupsOf(wanted: ReadonlyMap<string, WantedWeight>): string[][] {
  const joint: string[][] = [];
  for (const modules of sameInput)
    for (let layer = 0; wanted.has(`${modules[0](layer)}.weight`); layer++)
      joint.push(modules.map((module) => `${module(layer)}.weight`).filter((name) => wanted.has(name)));
  const grouped = new Set(joint.flat());
  const alone = [...wanted.keys()].filter((name) => !grouped.has(name)).map((name) => [name]);
  const isMatrix = ([name]: readonly string[]) => wanted.get(name!)!.shape.length > 1;
  return [...joint, ...alone.filter(isMatrix), ...alone.filter((names) => !isMatrix(names))];
}
