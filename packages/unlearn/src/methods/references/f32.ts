import { type F32, ops } from "@lethe/tensor";
import type { ReferenceForm } from "./form.ts";
import { bytesInF32, type KeptReference, keptMemory, keptReferences } from "./kept.ts";

/** A tensor as it is. */
export function inF32(made: F32): KeptReference {
  return {
    shape: made.shape,
    bytes: made.bytes,
    whole: () => made,
    rows: (start, end) => ops.slice(made, { axis: 0, start, end }),
    [Symbol.dispose]: () => made.dispose(),
  };
}

/** What the reference gives is computed once and kept as it is. */
export const f32 = {
  name: "f32",
  description: "computed once and kept",
  runsInTraining: false,
  memory: (device, batches) => keptMemory(batches, (shape) => bytesInF32(device, shape)),
  open: (compute) => keptReferences(compute, inF32),
} as const satisfies ReferenceForm;
