import { inF32 } from "./f32.ts";
import type { ReferenceForm } from "./form.ts";
import { bytesInF32, disposeBatch, keptBatch, keptMemory } from "./kept.ts";

/**
 * Nothing is kept: the reference runs again on each batch whenever the batch is used. Its weights must be somewhere meanwhile: under low-rank updates they are the trained model's own, and the numbers are those of `f32`, bit for bit. Otherwise
 * they are those of a frozen model beside it; of one in bf16 the numbers differ by how its products are rounded.
 */
export const recomputed = {
  name: "recomputed",
  description: "computed again whenever a batch is used, and nothing is kept",
  runsInTraining: true,
  memory(device, batches) {
    const bytesOf = (shapes: (typeof batches)[number]) =>
      shapes.reduce((sum, shape) => sum + bytesInF32(device, shape), 0);
    const largest = batches.reduce<(typeof batches)[number]>((a, b) => (bytesOf(b) > bytesOf(a) ? b : a), []);
    return keptMemory([largest], (shape) => bytesInF32(device, shape));
  },
  open(compute) {
    let made: ReturnType<typeof keptBatch> = {};
    const release = () => {
      disposeBatch(made);
      made = {};
    };
    return {
      prepare() {},
      of(batch) {
        release();
        made = keptBatch(compute(batch), inF32);
        return made;
      },
      release,
      [Symbol.dispose]: release,
    };
  },
} as const satisfies ReferenceForm;
