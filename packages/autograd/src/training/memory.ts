import type { MemoryNeed } from "@lethe/tensor";
import { anyObject, checked, listOf } from "@lethe/tensor/checked";
import type { SelectedWeight } from "./trainable.ts";

/**
 * The memory that training with AdamW needs beside the parameters, which are f32 then: for each of them a gradient and two moments. Pass it to
 * `requireMemory` before training starts. Activations are not in it; they depend on the batch.
 * @function
 */
export const trainingMemory = checked(
  "trainingMemory",
  { trainables: listOf(anyObject) },
  (trainables: readonly SelectedWeight[]): MemoryNeed[] =>
    trainables.flatMap(({ name, parameter }) => {
      const { pool } = parameter.device;
      const bytes = 4 * parameter.size;
      return [
        { part: "gradients", name, bytes: pool.sizeOf(bytes) },
        { part: "AdamW's first moments", name, bytes: pool.sizeOf(bytes, true) },
        { part: "AdamW's second moments", name, bytes: pool.sizeOf(bytes, true) },
      ];
    }),
);
